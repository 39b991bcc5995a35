"""How fast liquidation frames go from Kafka into committed rows, beside what others do with the same frames.

    python -m tests.bench throughput                               600,000 frames
    LIQ_BENCH_FRAMES=60000 python -m tests.bench throughput        fewer, to see that it runs

One Kafka is filled once. Then its frames are read in turns, each time by new processes:

- by a bare aiokafka consumer that throws them away;
- by quixstreams, which parses and normalises them and writes Parquet files: no raw frames, no keys, no offsets beside the rows;
- by one ingest into a lake with its catalogue in SQLite, which has all of these;
- by one, two and four ingests into one lake with its catalogue in PostgreSQL.

What is compared with quixstreams takes two turns, and the faster counts. quixstreams reads the first half of the frames, and
its time is from the first of them; that of one ingest on SQLite from its start; that of several from their first commit to
their last. Processor time is what each took in that time, for a million frames; it hardly depends on what else the machine
does. Where all of it together is what the cores have, more ingests cannot be faster here.
"""

import asyncio
import sys
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from collectors import broker
from collectors.kafka import ensure_topics
from collectors.topics import LIQUIDATION, TOPICS
from tests.bench import filling, several
from tests.bench.processor import ALL, CORES, Sampler, listener
from tests.bench.several import Waits
from tests.bench.ways import Done
from tests.foreign import install
from tests.warehouse import servers

BARE, THEIRS, ONE = "bare aiokafka consumer, to nowhere", "quixstreams to Parquet files", "1 ingest, SQLite"
AIMS = {ONE: 1.5, "2 ingests, PostgreSQL": 2.5}
HALF = filling.FRAMES // 2
FULL = 0.9
"""The share of the cores from which on more processes cannot help."""


class Took(NamedTuple):
    """Frames a second, megabytes, seconds of processor time for a million frames (own, Kafka, PostgreSQL), and how many cores
    these took, and everything else on the machine."""

    rate: float
    mb: float
    own: float
    kafka: float
    postgres: float
    cores: float
    others: float
    waits: tuple[Waits, ...] = ()


async def run(world: Path) -> None:
    """Fill Kafka, go each way, and print the table."""
    started = await asyncio.to_thread(broker.start, world)
    try:
        kafka = {"bootstrap_servers": started.bootstrap}
        await ensure_topics(kafka, TOPICS)
        await filling.fill(kafka)
        async with AsyncExitStack() as stack:
            sampler = await stack.enter_async_context(Sampler({"Kafka": [started.pid]}).running())
            found = await _Ways(world, started.bootstrap, sampler, stack.enter_context(ExitStack())).all()
    finally:
        await asyncio.to_thread(broker.stop, world)
    _compare(found)


class _Ways:
    """Goes all ways on one filled Kafka."""

    def __init__(self, world: Path, bootstrap: str, sampler: Sampler, servers_: ExitStack) -> None:
        self._world, self._bootstrap, self._sampler = world, bootstrap, sampler
        self._turns = 0
        self._python: Path | None = None
        self._postgres: servers.Postgres | None = None
        try:
            self._python = install.quixstreams_python()
        except install.UnavailableError as error:
            print(f"quixstreams is left out: {error}")
        try:
            self._postgres = servers_.enter_context(servers.postgres())
            sampler.groups["PostgreSQL"] = [listener(self._postgres.port)]
        except servers.UnavailableError as error:
            print(f"several ingests are left out: {error}")

    async def all(self) -> dict[str, Took]:
        """Print what each turn took; return it by name, the faster turn where there are two."""
        _head()
        found = dict[str, Took]()
        compared = (THEIRS, ONE, "2 ingests, PostgreSQL")
        for name in (BARE, *compared, *compared, "1 ingest, PostgreSQL", "4 ingests, PostgreSQL"):
            took = await self._go(name)
            if took:
                _show(name, took, took if name == THEIRS else found.get(THEIRS))
            if took and took.rate > found.get(name, took._replace(rate=0.0)).rate:
                found[name] = took
        return found

    async def _go(self, name: str) -> Took | None:
        self._turns += 1
        folder = self._world / f"turn{self._turns}"
        own = [sys.executable, "-m", "tests.bench.ways"]
        if name == BARE:
            return await self._apart([*own, "discard", self._bootstrap, str(folder)])
        if name == ONE:
            return await self._apart([*own, "ingest", self._bootstrap, str(folder)])
        if name == THEIRS:
            folder.mkdir()
            script = Path(install.__file__).with_name("quixstreams_client.py")
            command = [str(self._python), str(script), self._bootstrap, LIQUIDATION, str(HALF), str(folder)]
            return await self._apart(command, HALF) if self._python else None
        return await self._several(folder, int(name[0])) if self._postgres else None

    async def _apart(self, command: list[str], frames: int = filling.FRAMES) -> Took:
        """Go a way that is one process."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        group = self._group([process.pid])
        said, warned = await process.communicate()
        assert process.returncode == 0, warned.decode()
        done = Done(**msgspec.json.decode(said.splitlines()[-1]))
        assert done.rows == frames, done
        return self._took(group, done.began, done.ended, done.rows, done.mb)

    async def _several(self, folder: Path, count: int) -> Took:
        assert self._postgres
        catalogue, groups = self._postgres.database(f"turn{self._turns}"), list[str]()
        done = await several.stored(
            folder, catalogue, self._bootstrap, count, lambda pids: groups.append(self._group(pids))
        )
        took = self._took(groups[0], done.since, done.until, done.frames, sum(each.mb for each in done.waits))
        return took._replace(waits=tuple(done.waits))

    def _group(self, pids: list[int]) -> str:
        name = f"turn {self._turns}"
        self._sampler.groups[name] = pids
        return name

    def _took(self, group: str, since: float, until: float, frames: int, mb: float) -> Took:
        used = [self._sampler.used(name, since, until) for name in (group, "Kafka", "PostgreSQL", ALL)]
        del self._sampler.groups[group]  # its processes have ended
        cores = [seconds / (until - since) for seconds in (sum(used[:3]), used[3] - sum(used[:3]))]
        return Took(
            frames / (until - since), mb, *(each / frames * 1e6 for each in used[:3]), cores[0], max(0.0, cores[1])
        )


def _head() -> None:
    print(f"{'':36}{'':>12}{'/ quixstreams':>24}{'CPU s a million frames':>33}{f'of {CORES} cores':>16}")
    print(f"{f'{filling.FRAMES:,} liquidation frames':36}{'frames/s':>12}{'by time':>10}{'by CPU':>8}{'aim':>6}"
          f"{'own':>11}{'Kafka':>10}{'PostgreSQL':>12}{'all':>8}{'others':>8}{'MB':>8}", flush=True)  # fmt: skip


def _show(name: str, took: Took, theirs: Took | None) -> None:
    ratios = f"{took.rate / theirs.rate:>10.2f}{theirs.own / took.own:>8.2f}" if theirs else f"{'-':>10}{'-':>8}"
    aim = f"{AIMS[name]:.1f}" if name in AIMS else ""
    print(f"{name:36}{took.rate:>12,.0f}{ratios}{aim:>6}{took.own:>11.1f}{took.kafka:>10.1f}{took.postgres:>12.1f}"
          f"{took.cores:>8.2f}{took.others:>8.2f}{took.mb:>8,.0f}", flush=True)  # fmt: skip


def _compare(found: dict[str, Took]) -> None:
    """Print the ratios of the faster turns, and what more ingests could give."""
    if (theirs := found.get(THEIRS)) and ONE in found:
        ratios = [
            f"{name} {found[name].rate / theirs.rate:.2f} (aim {aim})" for name, aim in AIMS.items() if name in found
        ]
        print(f"times as fast as quixstreams, the faster turn of each: {', '.join(ratios)}")
    alone = found.get("1 ingest, PostgreSQL")
    for took in sorted(found.values(), key=lambda each: len(each.waits)):
        if took.waits and alone:
            print(several.told(len(took.waits), took.rate / alone.rate, took.waits) + _ceiling(took))


def _ceiling(took: Took) -> str:
    """Say what more processes could give."""
    if took.cores >= FULL * CORES:
        return f"; {took.cores:.1f} of {CORES} cores used: more cannot help here"
    if took.cores + took.others >= FULL * CORES:
        return f"; {took.cores:.1f} of {CORES} cores used, {took.others:.1f} by other work of this machine"
    return f"; {took.cores:.1f} of {CORES} cores used"
