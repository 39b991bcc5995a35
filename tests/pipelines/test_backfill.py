"""Backfill on a real Kafka and a real lake, against simulated venues: the rows are the venue's past, each once."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import ConfigurationError, NetworkError
from collectors.history.endpoint import What
from collectors.simulator.contracts import Contract
from collectors.simulator.liquidation import Liquidation
from tests.pipelines.history import DAY_MS, HOUR_MS, Past, past

WHATS: dict[What, str] = {
    "funding": "funding_settlements", "open-interest": "open_interest", "ratios": "long_short_ratios", "klines": "klines",
}  # fmt: skip
FIVE_MS = 300_000


def _ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _contract(there: Past, venue: str, symbol: str) -> Contract:
    return next(c for c in there.simulator.market.contracts if (c.venue, c.symbol) == (venue, symbol))


@pytest.mark.parametrize(
    ("venue", "symbols"), [("binance", ()), ("bybit", ()), ("okx", ("BTC-USDT-SWAP", "BTC-USD-SWAP"))]
)
async def test_a_backfill_repeated_leaves_each_row_once(
    fresh_kafka: dict[str, Any],
    fresh_world: Path,
    monkeypatch: pytest.MonkeyPatch,
    venue: str,
    symbols: tuple[str, ...],
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        counts: dict[str, int] = {}
        for what in WHATS:
            span = there.span(24.0 if what == "funding" else 4.0)
            first = await there.fill(venue, what, span, *symbols)
            assert first.rows > 0
            (fresh_world / "backfill" / f"{venue}.json").unlink()
            again = await there.fill(venue, what, span, *symbols)
            assert (again.requests, again.rows) == (first.requests, first.rows)
            counts[what] = first.rows
        totals = await there.drain()
        assert (totals.dead_letters, totals.duplicates > 0) == (0, True)
        for what, table in WHATS.items():
            stored = there.rows(f"SELECT count(*), min(source), max(source) FROM {table}")
            assert stored == [(counts[what], "backfill", "backfill")], table
        assert there.rows("SELECT sum(missing), sum(duplicates), bool_and(ended) FROM frames_accounted") == [
            (0, 0, True)
        ]


@pytest.mark.parametrize(("venue", "symbol"), [("binance", "BTCUSDT"), ("bybit", "BTCUSDT"), ("okx", "BTC-USDT-SWAP")])
async def test_of_days_asked_for_one_by_one_the_newest_first_every_settlement_has_its_interval(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch, venue: str, symbol: str
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        spans = [there.span(24.0), there.span(24.0, 26.0), there.span(24.0, 50.0)]
        for span in spans:
            await there.fill(venue, "funding", span, symbol)
            await there.drain()
        stored = there.rows("SELECT ts_event, interval_hours FROM funding_settlements ORDER BY ts_event")
        wanted = [hours for ts, hours in stored if spans[-1].first <= _ms(ts) <= spans[0].last]
        eight_h = 8 * HOUR_MS  # both ends count, so at some hours of the day there is one more
        assert wanted == [8.0] * (spans[0].last // eight_h - (spans[-1].first - 1) // eight_h)


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [
        ("binance", "BTCUSDT"),
        ("binance", "BTCUSD_PERP"),
        ("bybit", "ETHUSD"),
        ("bybit", "ETHUSDT"),
        ("okx", "BTC-USD-SWAP"),
    ],
)
async def test_open_interest_is_what_the_venue_had_at_every_bar(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch, venue: str, symbol: str
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span, contract = there.span(50.0), _contract(there, venue, symbol)
        await there.fill(venue, "open-interest", span, symbol)
        await there.drain()
        stored = there.rows("SELECT ts_event, oi_base, oi_usd, period, symbol FROM open_interest ORDER BY ts_event")
        history = there.simulator.market.history
        assert [_ms(row[0]) for row in stored] == list(range(span.first, span.last + 1, FIVE_MS))
        for moment, base, usd, period, name in stored:
            coins = history.open_interest(contract, _ms(moment))
            given = base if base is not None else usd / history.mark(contract, _ms(moment))
            assert given == pytest.approx(coins, rel=1e-4)
            assert (period, name) == ("5m", symbol)


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [("binance", "BTCUSDT"), ("binance", "BTCUSD_PERP"), ("bybit", "BTCUSD"), ("okx", "ETH-USDT-SWAP")],
)
async def test_funding_is_what_was_settled_page_by_page(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch, venue: str, symbol: str
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        days = 80 if venue == "okx" else 400
        span, contract = there.span(24.0 * days), _contract(there, venue, symbol)
        done = await there.fill(venue, "funding", span, symbol)
        assert done.requests > 1 or venue == "okx"
        await there.drain()
        stored = there.rows("SELECT ts_event, funding_rate, interval_hours FROM funding_settlements ORDER BY ts_event")
        paid = there.simulator.market.history.settlements(contract, span.first, span.last)
        own = [
            (_ms(moment), round(rate, 8), hours)
            for moment, rate, hours in stored
            if span.first <= _ms(moment) <= span.last
        ]
        assert own == [(s.ts, round(s.rate, 8), 8.0) for s in paid], (
            "with the one before, which says how long the first was"
        )


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [("binance", "BTCUSDT"), ("binance", "BTCUSD_PERP"), ("bybit", "BTCUSDT"), ("okx", "BTC-USDT-SWAP")],
)
async def test_klines_follow_each_other_without_gap_or_repetition(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch, venue: str, symbol: str
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span = there.span(20.0)
        done = await there.fill(venue, "klines", span, symbol)
        assert done.requests > 1
        await there.drain()
        stored = there.rows("SELECT ts_event, open, high, low, close, closed, interval FROM klines ORDER BY ts_event")
        assert [_ms(row[0]) for row in stored] == list(range(span.first, span.last + 1, 60_000))
        assert {(closed, interval) for *_, closed, interval in stored} == {(True, "1m")}
        assert all(
            low <= min(opened, close) <= max(opened, close) <= high for _, opened, high, low, close, *_ in stored
        )


async def test_ratios_of_pairs_and_symbols_and_taker_volumes_are_kept_apart(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        await there.fill("binance", "ratios", there.span(3.0), "BTCUSDT", "BTCUSD_PERP")
        await there.drain()
        found = there.rows("SELECT symbol, kind, scope, count(*) FROM long_short_ratios GROUP BY ALL ORDER BY ALL")
        bars = 3 * 12 + 1
        kinds = ("global_accounts", "top_accounts", "top_positions")
        assert set(found) == {
            *(("BTCUSD", kind, "pair", bars) for kind in kinds),
            *(("BTCUSDT", kind, "symbol", bars) for kind in (*kinds, "taker")),
            ("BTCUSD_PERP", "taker", "symbol", bars),
        }


async def test_what_kafka_has_is_not_asked_for_again_and_the_rest_is(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        whole = there.span(100.0)
        late = whole._replace(first=whole.last - 30 * HOUR_MS)
        done = await there.fill("bybit", "open-interest", late, "BTCUSDT")
        assert (await there.fill("bybit", "open-interest", late, "BTCUSDT")).requests == 0
        earlier = await there.fill("bybit", "open-interest", whole, "BTCUSDT")
        assert done.rows + earlier.rows == 100 * 12 + 1
        assert (await there.drain()).duplicates == 0


@pytest.mark.parametrize(
    ("venue", "what", "symbols", "kind"),
    [
        ("bybit", "open-interest", ("BTCUSDT", "ETHUSDT"), "http_10006"),
        ("binance", "open-interest", ("BTCUSDT", "ETHUSDT"), "http_429"),
        ("binance", "klines", ("BTCUSDT", "ETHUSDT"), "http_500"),
    ],
)
async def test_a_venue_that_says_stop_in_the_middle_is_heeded_and_nothing_is_missing(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch, venue: str, what: What,
    symbols: tuple[str, ...], kind: str,
) -> None:  # fmt: skip
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span, step = there.span(200.0), 60_000 if what == "klines" else FIVE_MS
        running = asyncio.create_task(there.fill(venue, what, span, *symbols))
        await there.watcher.came.wait()
        there.simulator.fault(kind, venue, channel=what if venue == "bybit" else "i", count=3)
        done = await running
        assert done.rows == len(symbols) * ((span.last - span.first) // step + 1)
        await there.drain()
        assert there.rows(f"SELECT count(*) FROM {WHATS[what]}") == [(done.rows,)]
        told = {name for (name,) in there.rows("SELECT DISTINCT event FROM collector_events")}
        stops = set() if kind == "http_500" else {"poll_stopped", "resumed"}
        assert told == {"started", "poll_failed", "stopped"} | stops
        assert any("lets us wait" in line for line in there.watcher.lines) == bool(stops)


async def test_a_wait_longer_than_set_ends_the_backfill_and_what_came_is_noted(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span = there.span(400.0)
        running = asyncio.create_task(there.fill("bybit", "open-interest", span, "BTCUSDT", longest_stop_s=0.5))
        await there.watcher.came.wait()
        there.simulator.fault("http_403", "bybit", channel="open-interest", seconds=2)
        with pytest.raises(NetworkError, match="bybit asks to wait 600 s"):
            await running
        came = there.watcher.answers
        assert came
        async with asyncio.timeout(60):
            while there.simulator.faults.active(
                asyncio.get_running_loop().time(), "http_403", "bybit", "open-interest"
            ):
                await asyncio.sleep(0.1)
        rest = await there.fill("bybit", "open-interest", span, "BTCUSDT")
        await there.drain()
        assert there.rows("SELECT count(*) FROM open_interest") == [(400 * 12 + 1,)]
        assert rest.rows < 400 * 12


async def test_a_backfill_killed_in_the_middle_goes_on_where_it_was(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span = there.span(600.0)
        state = fresh_world / "backfill" / "bybit.json"
        process = await _backfill(there, span.first, span.last, LIQ_BACKFILL_SHARE="0.1", LIQ_BACKFILL_SAVE_S="0.1")
        async with asyncio.timeout(60):
            while not state.exists():
                assert process.returncode is None, "it ended before it was killed"
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        noted = json.loads(state.read_bytes())["series"]
        rest = await there.fill("bybit", "open-interest", span, "BTCUSDT", "ETHUSDT")
        assert 0 < rest.rows < 2 * (600 * 12 + 1)
        assert noted
        totals = await there.drain()
        assert there.rows("SELECT count(*) FROM open_interest") == [(2 * (600 * 12 + 1),)]
        assert totals.duplicates < rest.rows


async def test_ctrl_c_ends_it_in_good_order(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span = there.span(600.0)
        process = await _backfill(there, span.first, span.last, LIQ_BACKFILL_SHARE="0.1", LIQ_BACKFILL_SAVE_S="0.1")
        async with asyncio.timeout(60):
            while not (fresh_world / "backfill" / "bybit.json").exists():
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
        assert (process.returncode, b"the same command goes on from here" in said) == (1, True)
        await there.drain()
        assert there.rows("SELECT sum(missing), bool_and(ended) FROM frames_accounted") == [(0, True)]
        last = there.rows("SELECT event, reason FROM collector_events ORDER BY ts DESC LIMIT 1")
        assert last == [("stopped", "cancelled")]


async def _backfill(there: Past, first: int, last: int, **env: str) -> asyncio.subprocess.Process:
    since, until = (datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (first, last))
    arguments = ("bybit", "--what", "open-interest", "--symbols", "BTCUSDT,ETHUSDT", "--since", since, "--until", until)
    everything = {**os.environ, **env, "LIQ_DATA": str(there.world)}
    everything["LIQ_KAFKA_BOOTSTRAP"] = there.kafka["bootstrap_servers"]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "liq", "backfill", *arguments, env=everything, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_what_a_venue_does_not_keep_so_long_is_said(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span = there.span(24.0 * 40)
        done = await there.fill("okx", "open-interest", span, "BTC-USDT-SWAP", period="1h")
        assert done.rows == pytest.approx(40 * 24, abs=1)
        assert there.watcher.lines == []
        await there.fill("okx", "open-interest", span, "BTC-USDT-SWAP", period="15m")
        kept = datetime.fromtimestamp((there.simulator.market.start_ms - 15 * DAY_MS) / 1000, UTC)
        assert there.watcher.lines[0].startswith("open-interest: kept only the newest 1,440 bars, so nothing before ")
        assert f"{kept:%Y-%m-%d}" in there.watcher.lines[0]


async def test_a_symbol_that_is_not_listed_is_an_error_that_names_it(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        with pytest.raises(ConfigurationError, match="contracts listed now: LUNAUSDT"):
            await there.fill("bybit", "funding", there.span(24.0), "BTCUSDT", "LUNAUSDT")


async def test_liquidations_are_read_back_page_by_page_and_each_is_stored_once(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a page, and many at one instant: a page may end in the middle of one."""
    async with past(fresh_kafka, fresh_world, monkeypatch) as there:
        span, contract = there.span(2.0), _contract(there, "okx", "BTC-USDT-SWAP")
        rest = there.simulator._hosts["okx"]._rest  # type: ignore[attr-defined]
        ones = [
            Liquidation(contract, span.first + n // 3 * 1000, "long", f"{n + 1}", "70000", "70000", "70000")
            for n in range(250)
        ]
        rest.liquidated[contract.symbol].extend((one, there.simulator.record.show(one, one.ts)) for one in ones)
        done = await there.fill("okx", "liquidations", span, contract.symbol)
        assert done.requests == 3
        await there.drain()
        stored = there.rows("SELECT count(*), sum(qty_raw), min(source), min(completeness) FROM liquidations")
        assert stored == [(250, 250 * 251 / 2, "backfill", "undocumented")]
