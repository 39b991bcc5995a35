"""How old a liquidation is when SQL first shows it, at a steady rate, and what memory and processor time that takes.

    python -m tests.bench freshness

- One ingest, catalogue in SQLite, 2,000 frames a second from a simulated venue's socket through a collector: as `liq up` runs.
- Four ingests on one PostgreSQL, 5,000 frames a second, written to Kafka by a producer that says when it made each: on two
  cores a simulator and a collector at that rate would leave nothing to ingest. The aim is a p99 below two seconds.

A reader looks four times a second, and is a part of the load. Where the cores are full, or others use them, ages show that.
"""

import asyncio
import os
import statistics
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from collectors import broker
from collectors.envelope import to_record
from collectors.kafka import ensure_topics
from collectors.topics import LIQUIDATION, TOPICS
from pipelines.up.commands import liq
from pipelines.up.parts import Parts
from tests.bench import filling, several
from tests.bench.processor import ALL, CORES, Sampler, listener
from tests.warehouse import servers
from warehouse import lake, schema
from warehouse.settings import WarehouseSettings

RATE, RATE_OF_FOUR, INGESTS = 2_000, 5_000, 4
AIM_S = 2.0
WARM_S, MEASURED_S = 10.0, 15.0
TICKS_S = 50
LOOK_S = 0.25  # a look every tenth of a second takes more than a core
NEWER = """
SELECT kafka_offset, kafka_partition, epoch_us(ts_recv) FROM liquidations
WHERE ts_recv > make_timestamp($since::BIGINT) AND kafka_offset > ($seen::BIGINT[])[kafka_partition + 1]
"""
PARTITIONS = next(topic.partitions for topic in TOPICS if topic.name == LIQUIDATION)
OUT_OF_ORDER_US = 1_000_000


class Seen(NamedTuple):
    """Ages of the rows that came while a reader looked, seconds, and between which times (Unix seconds)."""

    ages: list[float]
    since: float
    until: float


async def run(world: Path) -> None:
    """Print the ages with one ingest, then with four."""
    await _one(world / "one")
    try:
        await _four(world / "four")
    except servers.UnavailableError as error:
        print(f"four ingests: not measured, {error}")


async def _one(world: Path) -> None:
    """Run simulator, collector and ingest as processes of their own and read beside them."""
    parts = Parts(world, print)
    try:
        await parts.kafka()
        addresses = world / "simulator.env"
        command = liq("simulate", "--load", f"bybit={RATE}", "--cascade", "0", "--write-env", str(addresses))
        simulate = await parts.add("simulate", command)
        while not (addresses.exists() and addresses.read_text().endswith("\n")):
            await asyncio.sleep(0.1)
        parts.env.update(line.split("=", 1) for line in addresses.read_text().splitlines())  # type: ignore[misc]
        collect = await parts.add("collect", liq("collect", "bybit"))
        ingest = await parts.add("ingest", liq("ingest", "--follow"))
        groups = {child.name: [child.pid or 0] for child in (simulate, collect, ingest)}
        groups["Kafka"] = [each.pid or 0 for each in parts.kept if each not in (simulate, collect, ingest)]
        async with Sampler(groups | {"the reader": [os.getpid()]}).running() as sampler:
            await asyncio.sleep(WARM_S)
            seen = await asyncio.to_thread(_look, world, WarehouseSettings())
        memory = {child.name: _memory(child.pid) for child in (collect, ingest)}
    finally:
        await parts.stop()
    _show("1 ingest, from the socket", seen, sampler)
    for name, (peak, own) in memory.items():
        print(
            f"  memory of {name + ', peak:':<37}{peak:>10,.0f} MB, {own:,.0f} of it its own (the rest is program code)"
        )


async def _four(world: Path) -> None:
    """Run Kafka, PostgreSQL, a producer and the ingests as processes of their own and read beside them."""
    with servers.postgres() as postgres:
        started = await asyncio.to_thread(broker.start, world)
        try:
            await ensure_topics({"bootstrap_servers": started.bootstrap}, TOPICS)
            catalogue, files = postgres.database("fresh"), str(world / "files")
            settings = WarehouseSettings(catalogue=catalogue, files=files)
            schema.create_or_migrate(world / "w0", settings=settings)
            env = {**os.environ, "LIQ_CATALOGUE": catalogue, "LIQ_FILES": files}
            env |= {"LIQ_KAFKA_BOOTSTRAP": started.bootstrap, "LIQ_WORKER_GONE_S": several.GONE_S}
            async with AsyncExitStack() as stack:
                produced = [await _child(stack, "-m", "tests.bench.freshness", started.bootstrap, env=env)]
                ingests = [
                    await _child(
                        stack, "-m", "pipelines.ingest", "--follow", env=env | {"LIQ_DATA": str(world / f"w{n}")}
                    )
                    for n in range(INGESTS)
                ]
                groups = {"ingests": ingests, "Kafka": [started.pid], "PostgreSQL": [listener(postgres.port)]}
                groups |= {"the producer": produced, "the reader": [os.getpid()]}
                sampler = await stack.enter_async_context(Sampler(groups).running())
                await asyncio.sleep(2 * WARM_S)  # they join one after the other, and begin again at each change
                seen = await asyncio.to_thread(_look, world / "w0", settings)
        finally:
            await asyncio.to_thread(broker.stop, world)
    _show(f"{INGESTS} ingests on one PostgreSQL, from Kafka's producer", seen, sampler, AIM_S)


async def _child(stack: AsyncExitStack, *words: str, env: dict[str, str]) -> int:
    """Run a Python module until the stack ends; return its process."""
    out = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, *words, env=env, stdout=out, stderr=out)

    async def end() -> None:
        process.terminate()
        await process.wait()

    stack.push_async_callback(end)
    return process.pid


async def produce(bootstrap: str) -> None:
    """Write RATE_OF_FOUR frames a second to Kafka until the process is ended, each with the time at which it was made."""
    sender = filling.producer({"bootstrap_servers": bootstrap})
    await sender.start()
    written, began = 0, time.time()
    while True:
        due = int((time.time() - began) * RATE_OF_FOUR)
        batches = [sender.create_batch() for _ in range(filling.PARTS)]
        for number in range(written, due):
            now = time.time_ns()
            record = to_record(filling.frame(number, now // 1_000_000 - 20, now))
            batches[filling.partition(number)].append(
                key=record.key, value=record.value, timestamp=None, headers=record.headers
            )
        written = due
        for at, batch in enumerate(batches):
            if batch.record_count():
                await sender.send_batch(batch, LIQUIDATION, partition=at)
        await asyncio.sleep(1 / TICKS_S)


def _show(name: str, seen: Seen, sampler: Sampler, aim_s: float = 0.0) -> None:
    cut, took = statistics.quantiles(seen.ages, n=100), seen.until - seen.since
    aim = f" (aim: p99 below {aim_s:g} s)" if aim_s else ""
    print(f"{name}: {len(seen.ages) / took:,.0f} frames stored a second, age when a query sees them "
          f"p50 {cut[49]:.2f} s, p99 {cut[98]:.2f} s{aim}")  # fmt: skip
    used = {group: sampler.used(group, seen.since, seen.until) / took for group in sampler.groups}
    others = max(0.0, sampler.used(ALL, seen.since, seen.until) / took - sum(used.values()))
    shares = ", ".join(f"{group} {cores:.2f}" for group, cores in used.items())
    print(f"  of {CORES} cores: {shares}; other work of this machine {others:.2f}")


def _look(world: Path, settings: WarehouseSettings) -> Seen:
    """Read what is new again and again. Rows of a partition come in order, so what is new is younger than its last one."""
    ages: list[float] = []
    with lake.open(world, settings=settings) as warehouse:
        began = now = time.time()
        seen, arrived = [-1] * PARTITIONS, [int((began - 30) * 1e6)] * PARTITIONS
        is_first = True
        while now < began + MEASURED_S:
            given = {"since": min(arrived) - OUT_OF_ORDER_US, "seen": seen}
            new = warehouse.connection.execute(NEWER, given).fetchall()
            shown = time.time()
            ages += [] if is_first else [shown - us / 1e6 for _, _, us in new]
            for offset, at, us in sorted(new):
                seen[at], arrived[at] = offset, us
            is_first = False
            time.sleep(max(0.0, LOOK_S - (time.time() - now)))
            now = time.time()
    return Seen(ages, began, now)


def _memory(pid: int | None) -> tuple[float, float]:
    """Return peak resident memory and what of the present one is not mapped from files, in MB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    peak, own = (int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    return peak, own


if __name__ == "__main__":
    asyncio.run(produce(sys.argv[1]))
