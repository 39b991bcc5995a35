"""Frames to full rows on one core, beside tardis-dev's mappers on the same frames in the same run.

Both begin with a frame's bytes, as they come from a socket or a log, and both keep what they made of a batch.

- Ours: to every column of the warehouse's table: checked, joined with contracts, in coins and dollars, with a key and the
  place of the frame; in batches as ingest takes them. Tickers: the last value of each contract in a bucket, then its row.
- tardis-dev: to its objects of nine fields, an object a change; its mappers alone, called in a loop. Its public generators
  (replayNormalized, streamNormalized) cost an await a message more, and checks of the contract, coins and dollars it has not.

Each is timed by its own processor time, all threads counted, on one core, after warming up, in turns; the best turn counts.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, TICKER
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise
from pipelines.ingest.grid import MOST_IN_RUN, Bucket
from pipelines.ingest.ready import of_buckets
from pipelines.reading.blocks import parse_batch
from tests.bench import frames
from tests.foreign import install, lines, report

FRAMES, ROUNDS, TURNS = 75_000, 4, 2
TICKER_FRAMES = 200_000  # what some 30 contracts send in the minute that is a bucket
BATCH = 25_000
MARK_FRAMES, MARK_SYMBOLS = 100, 700
TARDIS = Path(install.__file__).parent / "tardis" / "tardis.js"
LIQUIDATIONS_AIM, TICKERS_AIM, MARKS_AIM = 1.5, 2.0, 1_000.0


class Case(NamedTuple):
    """`channel` of `venue`, read by tardis-dev as `exchange` and `kind`; `aim`: the least ratio to it."""

    name: str
    venue: str
    channel: str
    exchange: str
    kind: str
    aim: float
    payloads: Callable[[int], Iterator[bytes]]
    frames: int = FRAMES


CASES = (
    Case("Binance liquidations", "binance", "forceOrder", "binance-futures", "liquidation", LIQUIDATIONS_AIM,
         frames.binance_liquidations),
    Case("Bybit liquidations", "bybit", "allLiquidation", "bybit", "liquidation", LIQUIDATIONS_AIM,
         frames.bybit_liquidations),
    Case("OKX liquidations", "okx", "liquidation-orders", "okex-swap", "liquidation", LIQUIDATIONS_AIM,
         frames.okx_liquidations),
    Case("Bybit tickers", "bybit", "tickers", "bybit", "ticker", TICKERS_AIM, frames.bybit_tickers,
         TICKER_FRAMES),
)  # fmt: skip


async def run(world: Path) -> None:
    """Print frames a second of both and their ratio, the mark-price array's, and how many recorded lines are read right."""
    try:
        modules: Path | None = await asyncio.to_thread(install.node_modules)
    except install.UnavailableError as error:
        modules = None
        print(f"tardis-dev is left out: {error}")
    print("one core, thousand frames/s               ours  tardis-dev  ratio    aim")
    for case in CASES:
        file = world / f"{case.name}.jsonl"
        file.write_bytes(b"\n".join(case.payloads(case.frames)) + b"\n")
        ours, theirs = 0.0, 0.0
        for _ in range(TURNS):
            ours = max(ours, await _ours(case.name, file))
            theirs = max(theirs, await _theirs(case, file, modules) if modules else 0.0)
        ratio = f"{ours / theirs:>7.2f}" if theirs else "      -"
        print(f"{case.name:<36} {ours / 1e3:>9.0f} {theirs / 1e3:>11.0f}{ratio} {case.aim:>6.1f}")
    marks = world / "marks.jsonl"
    marks.write_bytes(b"\n".join(frames.binance_marks(MARK_FRAMES, MARK_SYMBOLS)) + b"\n")
    rate = max([await _ours("marks", marks) for _ in range(TURNS)])
    print(f"Binance mark prices, array of {MARK_SYMBOLS}: {rate:,.0f} frames/s, "
          f"{rate * MARK_SYMBOLS:,.0f} values/s (aim {MARKS_AIM:,.0f} frames/s)")  # fmt: skip
    _recorded_lines()


def _recorded_lines() -> None:
    recorded = lines.lines()
    print("\n" + report.lines_summary(lines.verdicts(recorded, {})) if recorded else "no recordings beside the project")


async def _ours(name: str, file: Path) -> float:
    return float(await _said([sys.executable, "-m", "tests.bench.parsing", name, str(file)], {}))


async def _theirs(case: Case, file: Path, modules: Path) -> float:
    command = ["node", str(TARDIS), "bench", case.exchange, case.kind, str(file), str(ROUNDS)]
    return float(json.loads(await _said(command, {"NODE_PATH": str(modules)}))["frames_per_s"])


async def _said(command: list[str], env: dict[str, str]) -> str:
    """Run a command on one core and return the last line it printed."""
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=os.environ | env | {"POLARS_MAX_THREADS": "1"},
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, command
    return said.decode().strip().splitlines()[-1]


def _frames(venue: str, channel: str, topic: str, payloads: list[bytes]) -> list[RawFrame]:
    """Return frames as consumed: of a batch in four partitions, or of a bucket's one."""
    parts, own = 4 if topic == LIQUIDATION else 1, (f"{venue}-bench-18ea6e5559f0957a-035a", "bench", "live")
    return [
        RawFrame(venue, channel, "*", "ws", frames.received_ns(n), *own, n + 1, payload, topic, n % parts, n // parts)
        for n, payload in enumerate(payloads)
    ]


def _liquidations(found: list[RawFrame]) -> None:
    rows = 0
    for start in range(0, len(found), BATCH):
        rows += normalise(parse_batch(found[start : start + BATCH], {}), Instruments()).tables["liquidations"].height
    assert rows == len(found), rows


def _bucket(found: list[RawFrame]) -> None:
    """Read state as the grid of ingest does: the last value of each contract, then its row."""
    bucket, held = Bucket((TICKER, 0), 0, 0, 60, False), {}
    for start in range(0, len(found), MOST_IN_RUN):
        bucket.take(found[start : start + MOST_IN_RUN], held)
    assert normalise(of_buckets([bucket])[0], Instruments()).tables["mark_prices"].height


def measure(name: str, file: Path) -> float:
    """Return frames a second of processor time, the best round after the first."""
    payloads = file.read_bytes().splitlines()
    if name == "marks":
        found, read = _frames("binance", "markPrice", TICKER, payloads), _bucket
    else:
        case = next(case for case in CASES if case.name == name)
        state = case.kind == "ticker"
        found = _frames(case.venue, case.channel, TICKER if state else LIQUIDATION, payloads)
        read = _bucket if state else _liquidations
    best = 0.0
    for turn in range(ROUNDS + 1):
        began = time.process_time()
        read(found)
        best = max(best, len(found) / (time.process_time() - began)) if turn else best
    return best


if __name__ == "__main__":
    print(measure(sys.argv[1], Path(sys.argv[2])))
