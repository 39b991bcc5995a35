"""A liquidation that a feed brought and that was asked for again is the same row."""

import pytest

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames

AT_NS = 1_790_000_000_000_000_000
BOTH = {
    "kraken": (
        "trade",
        b'{"feed":"trade","product_id":"PF_XBTUSD","uid":"d0692c0c-742e-4d88-862c-8bd63533e067","side":"sell",'
        b'"type":"liquidation","seq":7,"time":1789999200974,"qty":0.025,"price":110081.0}',
        "history", "PF_XBTUSD",
        b'{"result":"success","history":[{"time":"2026-09-21T14:00:00.974Z","trade_id":100,"price":110081,"size":0.025,'
        b'"side":"sell","type":"liquidation","uid":"d0692c0c-742e-4d88-862c-8bd63533e067"}]}',
    ),
    "dydx": (
        "v4_trades",
        b'{"type":"channel_data","channel":"v4_trades","id":"BTC-USD","contents":{"trades":[{"id":"03a1","size":"0.025",'
        b'"price":"110081","side":"SELL","createdAt":"2026-09-21T14:00:00.974Z","type":"LIQUIDATED"}]}}',
        "trades", "BTC-USD",
        b'{"trades":[{"id":"03a1","side":"SELL","size":"0.025","price":"110081","type":"LIQUIDATED",'
        b'"createdAt":"2026-09-21T14:00:00.974Z","createdAtHeight":"9"}]}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("venue", BOTH)
def test_a_liquidation_that_was_pushed_and_fetched_has_one_key(venue: str) -> None:
    channel, pushed, asked, symbol, answer = BOTH[venue]
    frames = [
        RawFrame(venue, channel, "*", "ws", AT_NS, f"{venue}-a", "test", "live", 1, pushed, "raw.liquidation", 0, 1),
        RawFrame(
            venue, asked, symbol, "rest", AT_NS, f"{venue}-b", "test", "backfill", 1, answer, "raw.liquidation", 0, 2
        ),
    ]
    tables, _ = normalise(parse_frames(frames, {}), Instruments(), grid_s=0)
    rows = tables["liquidations"]
    assert rows["source"].to_list() == ["live", "backfill"]
    same = ("ts_event", "event_key", "occurrence", "symbol", "position_side", "qty_base", "price", "completeness")
    assert rows.select(same).n_unique() == 1
