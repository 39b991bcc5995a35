"""How fast `liq serve` answers, and what memory it takes, on a year of liquidations while ingest follows.

    python -m tests.bench serving                                  10 million liquidations, 20 days of market state
    LIQ_BENCH_ROWS=100000000 python -m tests.bench serving         100 million
    LIQ_BENCH_WORLD=/somewhere python -m tests.bench serving       the lake is made there, kept, and found again
    LIQ_BENCH_SECONDS=3600 python -m tests.bench serving           how long it is asked for; 20 if not set

The lake is kept between runs (`kept.py`). A run adds the time that has passed since the last one, then works on a copy.

Real ones run beside it: Kafka, a simulated venue, collector and ingest. Requests for the brief begin at fixed times, whatever
became of those before (200 a second over five coins), and a time counts from when its request was due. Then as many as can be
answered. A first answer is one that nobody asked for before; processor time is the service's, all threads.
"""

import asyncio
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from collectors.ports import free_port
from pipelines.up.commands import liq
from pipelines.up.parts import Parts
from tests.bench import synthetic, year
from tests.bench.asking import Asker, at_once, at_times
from tests.bench.kept import copied, kept
from tests.bench.looking import look
from tests.pipelines.serve.page import made, market
from warehouse import lake
from warehouse.writer import append

SECONDS = float(os.environ.get("LIQ_BENCH_SECONDS", 20))
STATE_DAYS, MAP_DAYS = 20, 10
RATE, ASKERS = 200, 20
FRAMES_S = 50
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
PAGES = {
    "overview": (
        "/v1/liquidations/totals_overall", "/v1/liquidations/totals_by_coin?hours=24&order=-usd&limit=14",
        "/v1/liquidations/totals_by_venue?hours=24&order=-usd", "/v1/market/stress?scope=market",
        "/page/liquidated?range=1d", "/v1/liquidations/largest?order=rank", "/v1/cascades/recent",
        "/v1/funding/oi_weighted?order=-oi_usd&limit=8", "/v1/quality/feed_states",
    ),
    "coin": (
        "/page/candles?coin=BTC&range=1d", "/page/map/BTC?range=1d", "/v1/levels/score?base=BTC",
        "/v1/liquidations/max_pain?base=BTC&order=range_pct", "/page/large?coin=BTC&range=1d",
        "/page/liquidated?coin=BTC&range=1d", "/page/interest?coin=BTC&range=1d", "/page/funding?coin=BTC&range=1d",
    ),
    "coin, another range": (
        "/page/candles?coin=BTC&range=7d", "/page/map/BTC?range=7d", "/page/large?coin=BTC&range=7d",
        "/page/liquidated?coin=BTC&range=7d", "/page/interest?coin=BTC&range=7d", "/page/funding?coin=BTC&range=7d",
    ),
}  # fmt: skip
"""What a page asks for when it is opened."""


class Used(NamedTuple):
    """Processor seconds and resident megabytes of a process."""

    cpu_s: float
    mb: float


async def run(world: Path) -> None:
    """Bring the kept lake up to now, start all on a copy of it, and print the times."""
    whole = await asyncio.to_thread(_lake)
    with copied(whole) as copy:
        await _measured(copy)


def _lake() -> Path:
    """Return the kept lake, made or brought up to now."""
    world, began = kept("served", _make), time.perf_counter()
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    since, rows = year.add(world, now)
    add_maps(world, now, since)
    print(f"brought up to now: {now - since}, {rows:,} liquidations, {time.perf_counter() - began:,.0f} s")
    return world


def _make(world: Path) -> None:
    end = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    year.build(world, year.DAYS, STATE_DAYS, end)
    add_maps(world, end, end - timedelta(days=MAP_DAYS))


async def _measured(world: Path) -> None:
    parts = Parts(world, print)
    try:
        await _follow(parts)
        port = free_port()
        parts.env["LIQ_SERVE_PORT"] = str(port)
        served = await parts.add("serve", liq("serve"))
        asker = Asker(port)
        await asker.reached("/openapi.json")  # the first look at the lake is over
        await _pages(asker, served.pid or 0)
        await asyncio.to_thread(look, f"http://127.0.0.1:{port}")
        await _briefs(port, served.pid or 0)
    finally:
        await parts.stop()


def add_maps(world: Path, end: datetime, since: datetime) -> None:
    """Store estimated levels of the large coins between two times, a map an hour."""
    prices = {base: price for base, price, *_ in synthetic.COINS}
    minutes = (end - since) // timedelta(minutes=1) + 60
    with lake.open(world, read_only=False) as opened:
        for number, coin in enumerate(market.COINS):
            there = coin._replace(price=prices[coin.base])
            found = market.levels(there, market.path(there, end, minutes, number), end).filter(pl.col("ts") > since)
            append(opened, {"liquidation_levels": made.shaped("liquidation_levels", found)})


async def _follow(parts: Parts) -> None:
    """Let liquidations come, as `liq up` would."""
    await parts.kafka()
    addresses = parts.world / "simulator.env"
    command = liq("simulate", "--load", f"bybit={FRAMES_S}", "--cascade", "0", "--write-env", str(addresses))
    await parts.add("simulate", command)
    while not (addresses.exists() and addresses.read_text().endswith("\n")):
        await asyncio.sleep(0.1)
    parts.env.update(line.split("=", 1) for line in addresses.read_text().splitlines())  # type: ignore[misc]
    await parts.add("collect", liq("collect", "bybit"))
    await parts.add("ingest", liq("ingest", "--follow"))


async def _pages(asker: Asker, pid: int) -> None:
    print(f"{'a page, ms':24}{'first':>8}{'CPU':>8}{'slowest first':>36}{'again':>8}{'again / first':>15}")
    for name, paths in PAGES.items():
        before, began = _used(pid), time.perf_counter()
        times = await at_once(asker.port, paths)
        first, cpu = time.perf_counter() - began, _used(pid).cpu_s - before.cpu_s
        again = 0.0
        for _ in range(2):
            await asyncio.sleep(5)  # as a page asks again
            began = time.perf_counter()
            await at_once(asker.port, paths)
            again = time.perf_counter() - began
        slowest = max(times, key=lambda path: times[path])
        times_ms = f"{first * 1e3:>8.0f}{cpu * 1e3:>8.0f}{slowest.partition('?')[0]:>36}{again * 1e3:>8.0f}"
        print(f"{name:24}{times_ms}{again / first:>15.2f}")


async def _briefs(port: int, pid: int) -> None:
    before, first = _used(pid), await Asker(port).ask(f"/v1/brief/{COINS[0]}")
    cpu = _used(pid).cpu_s - before.cpu_s
    paths = [f"/v1/brief/{coin}" for coin in COINS]
    await at_once(port, paths)
    await at_once(port, paths)
    before, began = _used(pid), time.perf_counter()
    times = await at_times(port, paths, RATE, SECONDS, ASKERS)
    after, took = _used(pid), time.perf_counter() - began
    most = len(await at_times(port, paths, 10**6, 5, ASKERS)) / 5
    cut = statistics.quantiles(times, n=100)
    print(f"/v1/brief, the first of a coin:       {first * 1e3:,.0f} ms, {cpu * 1e3:,.0f} ms of processor time")
    p50, p99, worst = (1e3 * seconds for seconds in (cut[49], cut[98], max(times)))
    print(
        f"/v1/brief, {RATE} a second for {SECONDS:g} s:   p50 {p50:,.1f} ms, p99 {p99:,.1f} ms, the slowest {worst:,.0f} ms"
    )
    print(f"answered a second; p99 / the first:   {len(times) / took:,.0f}; {p99 / first / 1e3:.3f}")
    print(f"/v1/brief, as many as can be:         {most:,.0f} a second")
    print(f"processor time meanwhile:             {(after.cpu_s - before.cpu_s) / took:.2f} of a core")
    print(f"memory before, after, at the end:     {before.mb:,.0f}, {after.mb:,.0f}, {_used(pid).mb:,.0f} MB")


def _used(pid: int) -> Used:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Used((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(status["VmRSS"].split()[0]) / 1024)
