"""Backfill of the further venues, on a real Kafka and a real lake: the rows are the venue's past, each once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import ConfigurationError
from collectors.simulator.contracts import Contract
from collectors.simulator.liquidation import Liquidation
from tests.pipelines.history import Past, past

EIGHT_HOURS_MS = 8 * 3_600_000
CANDLES = {
    "aster": "BTCUSDT", "bitfinex": "tBTCF0:USTF0", "cryptocom": "BTCUSD-PERP", "deribit": "BTC-PERPETUAL", "dydx": "BTC-USD",
    "gateio": "BTC_USDT", "htx": "BTC-USDT", "kraken": "PI_XBTUSD", "kucoin": "XBTUSDTM",
}  # fmt: skip
TRADES = {"dydx": ("BTC-USD", 900), "kraken": ("PF_XBTUSD", 150)}
"""The symbol, and how many liquidations there are: with the trades between them more than an answer has."""
SETTLED = {"bitmex": ("XBTUSD", 8.0), "dydx": ("BTC-USD", 1.0), "kraken": ("PF_XBTUSD", 8.0)}
"""The symbol, and the hours between settlements."""


def _contract(there: Past, venue: str, symbol: str) -> Contract:
    return next(c for c in there.simulator.market.contracts if (c.venue, c.symbol) == (venue, symbol))


async def test_what_is_asked_by_post_is_read_back_funding_and_the_last_candles(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, "hyperliquid") as there:
        paid = await there.fill("hyperliquid", "funding", there.span(600.0, until_hours=10.0), "BTC")
        assert (paid.rows, paid.requests) == (601, 2), "one an hour, and where the second answer begins one twice"
        bars = await there.fill("hyperliquid", "klines", there.span(20.0), "BTC")
        assert bars.rows >= 1200
        totals = await there.drain()
        assert totals.dead_letters == 0
        found = there.rows("SELECT count(*), min(interval_hours), max(source) FROM funding_settlements")
        assert found == [(600, 1.0, "backfill")]
        candles = there.rows("SELECT count(*), min(low) > 0, bool_and(closed), max(interval) FROM klines")
        assert candles == [(bars.rows, True, True, "1m")]


async def test_what_is_asked_in_seconds_is_read_back_to_the_bounds(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, "gateio") as there:
        span = there.span(600.0, until_hours=10.0)
        paid = await there.fill("gateio", "funding", span, "BTC_USDT")
        inside = span.last // EIGHT_HOURS_MS - -(-span.first // EIGHT_HOURS_MS) + 1
        assert paid.rows - inside in (0, 1, 2), "those of 600 hours, and up to one settlement more on either side"
        await there.drain()
        (found,) = there.rows("""
            SELECT count(*), date_diff('hour', min(ts_event), max(ts_event)), max(interval_hours), max(source)
            FROM funding_settlements
        """)
        assert found == (paid.rows, (paid.rows - 1) * 8, 8.0, "backfill")


async def test_liquidations_of_all_contracts_are_read_back_in_one_series(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, "bitfinex") as there:
        span, contract = there.span(2.0), _contract(there, "bitfinex", "tBTCF0:USTF0")
        show = there.simulator._feeds["bitfinex"]._shown  # type: ignore[attr-defined]
        for n in range(400):
            one = Liquidation(contract, span.first + n // 3 * 1000, "long", f"{n + 1}", "70000", "70000", "70000")
            list(show([one], one.ts))
        done = await there.fill("bitfinex", "liquidations", span)
        assert done.requests == 2, "a trigger and an execution of each, 500 rows an answer"
        await there.drain()
        stored = there.rows("SELECT count(*), sum(qty_raw), min(source), min(completeness) FROM liquidations")
        assert stored == [(400, 400 * 401 / 2, "backfill", "all")]


async def test_candles_of_other_venues_follow_each_other_without_gap_or_repetition(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, *CANDLES) as there:
        span = there.span(20.0)
        for venue, symbol in CANDLES.items():
            await there.fill(venue, "klines", span, symbol)
            await there.fill(venue, "klines", span, symbol, interval="1h")
        assert (await there.drain()).dead_letters == 0
        sound = there.rows(
            """
            SELECT venue, interval, count(*), count(DISTINCT ts_event), bool_and(closed),
                   bool_and(low <= least(open, close) AND high >= greatest(open, close)), min(ts_event)
            FROM klines WHERE ts_event BETWEEN epoch_ms({}::BIGINT) AND epoch_ms({}::BIGINT) GROUP BY ALL ORDER BY ALL
        """.format(*span)
        )
        began = datetime.fromtimestamp(span.first / 1000, UTC)
        assert [(*row[:-1], row[-1].replace(tzinfo=UTC)) for row in sound] == [
            (venue, interval, bars, bars, True, True, began)
            for venue in sorted(CANDLES)
            for interval, bars in (("1h", 21), ("1m", 20 * 60 + 1))
        ]


async def test_statistics_that_hold_open_interest_and_ratios_are_asked_for_once(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, "gateio") as there:
        span, bars = there.span(5.0), 5 * 12 + 1
        assert (await there.fill("gateio", "ratios", span, "BTC_USDT")).requests == 3
        assert (await there.fill("gateio", "open-interest", span, "BTC_USDT")).requests == 0
        assert (await there.drain()).dead_letters == 0
        within = "ts_event BETWEEN epoch_ms({}::BIGINT) AND epoch_ms({}::BIGINT)".format(*span)
        assert there.rows(f"SELECT count(*), max(period), max(source) FROM open_interest WHERE {within}") == [
            (bars, "5m", "backfill")
        ]
        found = there.rows(f"SELECT kind, count(*) FROM long_short_ratios WHERE {within} GROUP BY 1 ORDER BY 1")
        assert found == [(kind, bars) for kind in ("global_accounts", "taker", "top_accounts", "top_positions")]


async def test_trades_are_read_back_by_their_end_alone_and_liquidations_among_them_stored_once(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, *TRADES) as there:
        span = there.span(2.0)
        for venue, (symbol, wanted) in TRADES.items():
            contract, show = _contract(there, venue, symbol), there.simulator._feeds[venue]._shown  # type: ignore[attr-defined]
            for n in range(wanted):
                one = Liquidation(contract, span.first + n // 3 * 1000, "long", f"{n + 1}", "70000", "70000", "70000")
                list(show([one], one.ts))
            done = await there.fill(venue, "liquidations", span._replace(first=span.first + 10_000), symbol)
            assert done.requests == 2, "the first answer is full, the second goes beyond"
        assert (await there.drain()).dead_letters == 0
        stored = there.rows(
            "SELECT venue, count(*), min(source), min(completeness) FROM liquidations GROUP BY 1 ORDER BY 1"
        )
        assert [(venue, *rest) for venue, _, *rest in stored] == [
            (venue, "backfill", "all") for venue in sorted(TRADES)
        ]
        assert [(venue, count) for venue, count, *_ in stored] == [
            (venue, TRADES[venue][1]) for venue in sorted(TRADES)
        ]


async def test_liquidations_are_read_back_from_a_venue_that_does_not_say_which_end_an_answer_starts_from(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, "coinex") as there:
        span, contract = there.span(2.0), _contract(there, "coinex", "BTCUSDT")
        show = there.simulator._feeds["coinex"]._shown  # type: ignore[attr-defined]
        for n in range(40):
            one = Liquidation(contract, span.first + n // 3 * 60_000, "long", f"{n + 1}", "70000", "70000", "70000")
            list(show([one], one.ts))
        await there.fill("coinex", "liquidations", span, "BTCUSDT")
        assert (await there.drain()).dead_letters == 0
        stored = there.rows("SELECT count(*), sum(qty_raw), min(source), min(completeness) FROM liquidations")
        assert stored == [(40, 40 * 41 / 2, "backfill", "undocumented")]
        assert (await there.fill("coinex", "liquidations", span, "BTCUSDT")).requests == 0


async def test_settled_funding_of_other_venues_is_what_was_paid(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch, *SETTLED) as there:
        span = there.span(1500.0, until_hours=10.0)
        for venue, (symbol, _) in SETTLED.items():
            await there.fill(venue, "funding", span, symbol)
        assert (await there.drain()).dead_letters == 0
        found = there.rows(
            """
            SELECT venue, count(*), mode(interval_hours), max(source) FROM funding_settlements
            WHERE ts_event BETWEEN epoch_ms({}::BIGINT) AND epoch_ms({}::BIGINT) GROUP BY 1 ORDER BY 1
        """.format(*span)
        )
        assert [(venue, hours, source) for venue, _, hours, source in found] == [
            (venue, hours, "backfill") for venue, (_, hours) in sorted(SETTLED.items())
        ]
        assert all(count in (int(1500 / hours), int(1500 / hours) + 1) for _, count, hours, _ in found)


async def test_a_venue_without_liquidations_of_the_past_says_what_it_gives(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        with pytest.raises(ConfigurationError, match="gives no liquidations of the past; it gives funding"):
            await there.fill("bybit", "liquidations", there.span(2.0))
