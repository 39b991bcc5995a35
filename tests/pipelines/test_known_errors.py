"""Errors that well-known open code makes with these venues' liquidations, each refuted."""

import json
from typing import Any

import pytest

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.venues import VENUES, Held, Named
from pipelines.venues.bitmex.liquidations import OPEN

NOW_MS = 1_790_000_000_000


def rows(
    venue: str, *messages: Any, held: Held | None = None, book: Instruments | None = None, answer: str = ""
) -> list[dict[str, Any]]:
    """Return the liquidations of these messages of one socket, each a millisecond after the one before.

    `answer`: they are answers by REST, of this channel.
    """
    frames = []
    for n, message in enumerate(messages):
        payload = json.dumps(message).encode()
        named = Named(answer, "*") if answer else VENUES[venue].channel_of(payload)
        assert named is not None
        at = (
            (NOW_MS + n) * 1_000_000,
            f"{venue}-public-1-a",
            "public",
            "live",
            n + 1,
            payload,
            "raw.liquidation",
            2,
            n,
        )
        frames.append(RawFrame(venue, named.channel, named.symbol, "rest" if answer else "ws", *at))  # type: ignore[arg-type]
    tables = normalise(parse_frames(frames, {} if held is None else held), book or Instruments()).tables
    assert tables["dead_letters"].height == 0, tables["dead_letters"]["reason"].to_list()
    return list(tables["liquidations"].iter_rows(named=True))


def test_bitgets_amount_is_money_and_not_coins() -> None:
    data = [{"symbol": "APEUSDT", "side": "buy", "price": "0.5", "amount": "20", "ts": str(NOW_MS)}]
    (row,) = rows(
        "bitget", {"action": "update", "arg": {"instType": "usdt-futures", "topic": "liquidation"}, "data": data}
    )
    assert (row["qty_base"], row["notional_usd"], row["qty_unit"]) == (40.0, 20.0, "quote")


def test_htxs_volume_is_contracts_and_not_coins_on_linear_markets() -> None:
    order = {
        "contract_code": "BTC-USDT", "direction": "sell", "volume": 227.0, "price": 100000.0, "created_at": NOW_MS,
        "amount": 0.227, "trade_turnover": 22700.0,
    }  # fmt: skip
    topic = "public.BTC-USDT.liquidation_orders"
    (row,) = rows("htx", {"op": "notify", "topic": topic, "ts": NOW_MS, "data": [order]})
    assert (row["qty_base"], row["notional_usd"], row["position_side"]) == (0.227, 22700.0, "long")


def test_krakens_linear_quantity_is_coins_and_is_not_divided_by_the_price() -> None:
    trade = {
        "feed": "trade",
        "type": "liquidation",
        "side": "sell",
        "time": NOW_MS,
        "price": 100000.0,
        "seq": 1,
        "uid": "a",
    }
    linear, inverse = rows(
        "kraken",
        trade | {"product_id": "PF_XBTUSD", "qty": 0.5},
        trade | {"product_id": "PI_XBTUSD", "qty": 2500.0},
    )
    assert (linear["qty_base"], linear["notional_usd"], linear["position_side"]) == (0.5, 50_000.0, "long")
    assert (inverse["qty_base"], inverse["notional_usd"]) == (0.025, 2500.0)


def test_krakens_trades_that_differ_in_their_id_alone_are_two_and_one_repeated_by_a_snapshot_is_one() -> None:
    trade = {
        "feed": "trade", "product_id": "PF_XBTUSD", "type": "liquidation", "side": "sell", "time": NOW_MS, "price": 100000.0,
        "seq": 1, "uid": "a", "qty": 0.5,
    }  # fmt: skip
    snapshot = {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [trade]}
    keys = [
        (row["event_key"], row["occurrence"]) for row in rows("kraken", trade, trade | {"uid": "b", "seq": 2}, snapshot)
    ]
    assert keys[0] == keys[2]
    assert keys[0] != keys[1]


def test_bitfinexs_entry_price_is_never_the_price_and_a_trigger_with_an_acquired_price_is_kept() -> None:
    entry, acquired = 222.25, 235.52
    told = ["pos", 1, NOW_MS, None, "tETHF0:USTF0", -8.0, entry, None, 0, 1, None]
    priced, unpriced = rows("bitfinex", [907, [[*told, acquired]]], [907, [[*told[:1], 2, *told[2:], None]]])
    assert (priced["price"], priced["notional_usd"], priced["position_side"]) == (acquired, 8.0 * acquired, "short")
    assert (unpriced["price"], unpriced["notional_usd"], unpriced["null_reason"]) == (None, None, "no price")


def test_bitfinexs_trigger_told_again_is_one_and_its_executions_are_not_counted() -> None:
    told = ["pos", 1, NOW_MS, None, "tBTCF0:USTF0", 0.5, 9135.0, None, 0, 1, None, 9080.0]
    execution = [*told[:8], 1, *told[9:]]
    found = rows("bitfinex", [7, [told]], [7, [execution]], [7, [told]])
    assert len({row["event_key"] for row in found}) == 1
    assert len(found) == 2


def change(action: str, **row: Any) -> dict[str, Any]:
    """Return a change of BitMEX' table of open orders."""
    return {"table": "liquidation", "action": action, "data": [{"orderID": "a", "symbol": "XBTUSD", **row}]}


INSERT = change("insert", side="Sell", price=100000.0, leavesQty=12900)
ENLARGE, FILL, DELETE = change("update", leavesQty=21600), change("update", leavesQty=100), change("delete")


def test_bitmexs_order_counts_with_the_most_it_was_seen_with_and_once() -> None:
    (row,) = rows("bitmex", INSERT, ENLARGE, FILL, DELETE, DELETE)
    assert (row["notional_usd"], row["qty_raw"], row["position_side"]) == (21600.0, 21600.0, "long")


def test_bitmexs_order_that_ended_in_a_gap_is_known_by_the_next_image_and_is_not_told_again() -> None:
    held: Held = {}
    empty = {"table": "liquidation", "action": "partial", "data": []}
    assert rows("bitmex", INSERT, empty, held=held) == [], "an image may be older than a young order"
    (order,) = [order for (what, _), order in held.items() if what == OPEN]
    held[OPEN, "a"] = order._replace(since_ms=order.since_ms - 60_000)
    (row,) = rows("bitmex", empty, DELETE, held=held)
    assert (row["notional_usd"], row["symbol"]) == (12900.0, "XBTUSD")


def deribit(**changed: Any) -> dict[str, Any]:
    """Return a trade of Deribit's perpetual of BTC, as it is listed in a push or an answer."""
    return {
        "trade_seq": 7, "timestamp": NOW_MS, "price": 100000.0, "instrument_name": "BTC-PERPETUAL", "direction": "buy",
        "amount": 1000.0, **changed,
    }  # fmt: skip


def deribit_push(*trades: dict[str, Any]) -> dict[str, Any]:
    return {"method": "subscription", "params": {"channel": "trades.BTC-PERPETUAL.100ms", "data": list(trades)}}


@pytest.mark.parametrize(
    ("flag", "direction", "order", "position"),
    [
        ("T", "sell", "sell", "long"),
        ("T", "buy", "buy", "short"),
        ("M", "buy", "sell", "long"),
        ("M", "sell", "buy", "short"),
    ],
)
def test_deribits_direction_is_the_takers_so_the_makers_liquidation_is_on_the_other_side(
    flag: str, direction: str, order: str, position: str
) -> None:
    (row,) = rows("deribit", deribit_push(deribit(liquidation=flag, direction=direction)))
    assert (row["order_side"], row["position_side"], row["notional_usd"]) == (order, position, 1000.0)


@pytest.mark.parametrize("direction", ["buy", "sell"])
def test_deribits_trade_of_two_that_were_liquidated_is_two_liquidations(direction: str) -> None:
    found = rows("deribit", deribit_push(deribit(liquidation="MT", direction=direction)))
    assert sorted((row["position_side"], row["notional_usd"]) for row in found) == [("long", 1000.0), ("short", 1000.0)]
    assert len({row["event_key"] for row in found}) == 2


def test_deribits_flag_that_comes_late_completes_what_was_pushed_without_and_repeats_no_other() -> None:
    assert rows("deribit", deribit_push(deribit())) == []
    (pushed,) = rows("deribit", deribit_push(deribit(trade_seq=8, liquidation="T")))
    late = [deribit(liquidation="M"), deribit(trade_seq=8, liquidation="MT"), deribit(trade_seq=9)]
    found = rows("deribit", {"result": {"trades": late}}, answer="get_last_trades_by_instrument")
    assert [(row["position_side"], row["completeness"]) for row in found] == [
        ("long", "all"), ("long", "all"), ("short", "all"),
    ]  # fmt: skip
    same = [row for row in found if row["event_key"] == pushed["event_key"]]
    assert [(row["position_side"], row["ts_event"]) for row in same] == [("short", pushed["ts_event"])]


def test_dydxs_flag_of_v3_is_nothing_on_v4_where_the_type_says_what_a_trade_is() -> None:
    trade = {"id": "a", "size": "2", "price": "100000", "side": "SELL", "createdAt": "2026-09-21T14:13:20.001Z"}

    def push(*trades: dict[str, Any]) -> dict[str, Any]:
        return {"type": "channel_data", "channel": "v4_trades", "id": "BTC-USD", "contents": {"trades": trades}}

    assert rows("dydx", push(trade | {"type": "LIMIT", "liquidation": True})) == []
    sold, again, bought = rows(
        "dydx",
        push(trade | {"type": "LIQUIDATED"}),
        push(trade | {"type": "LIQUIDATED", "liquidation": False}),
        push(trade | {"type": "LIQUIDATED", "id": "b", "side": "BUY"}),
    )
    assert (sold["position_side"], sold["notional_usd"], bought["position_side"]) == ("long", 200_000.0, "short")
    assert sold["event_key"] == again["event_key"], "told again by the first answer to a subscription"


def test_asters_price_is_the_average_fill_and_its_quantity_all_that_was_filled() -> None:
    order = {"s": "BTCUSDT", "S": "BUY", "q": "0.5", "p": "140000", "ap": "100000", "l": "0.7", "z": "0.4", "T": NOW_MS}
    filled, unfilled = rows("aster", {"e": "forceOrder", "o": order}, {"e": "forceOrder", "o": order | {"ap": "0.0"}})
    assert (filled["position_side"], filled["qty_base"], filled["notional_usd"]) == ("short", 0.4, 40_000.0)
    assert (unfilled["price"], unfilled["notional_usd"], unfilled["null_reason"]) == (None, None, "no price")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_hyperliquids_trade_is_one_liquidation_whichever_partys_fill_comes_first_and_its_side_the_liquidated_users(
    order: tuple[int, int],
) -> None:
    told = {"coin": "BTC", "px": "100000", "sz": "0.5", "time": NOW_MS, "tid": 7, "dir": "Close Long"}
    told |= {"liquidation": {"liquidatedUser": "0xAB", "markPx": "99990", "method": "market"}}
    fills = [["0xab", told | {"side": "A"}], ["0xcd", told | {"side": "B", "dir": "Open Long"}]]
    events = [fills[n] for n in order]
    (both,) = rows("hyperliquid", {"block_number": 1, "events": events})
    (first,) = rows("hyperliquid", {"block_number": 1, "events": events[:1]})
    (second,) = rows("hyperliquid", {"block_number": 1, "events": events[1:]})
    assert len({row["event_key"] for row in (both, first, second)}) == 1
    assert {row["position_side"] for row in (both, first, second)} == {"long"}
    assert (both["notional_usd"], both["occurrence"]) == (50_000.0, 0)
