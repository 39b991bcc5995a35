"""How fast liquidation frames go from Kafka into committed rows, beside a consumer that throws everything away."""

import asyncio
import resource
import sys
import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from collectors import broker
from collectors.envelope import RawFrame, to_record
from collectors.kafka import ensure_topics
from collectors.topics import LIQUIDATION, TOPICS
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from warehouse import schema

FRAMES = 600_000
SYMBOLS = 40
SINCE_MS = 1_790_000_000_000


async def run(world: Path) -> None:
    """Fill Kafka once, then read it both ways, each in a process of its own."""
    started = await asyncio.to_thread(broker.start, world)
    try:
        await ensure_topics({"bootstrap_servers": started.bootstrap}, TOPICS)
        await _fill({"bootstrap_servers": started.bootstrap})
        rates = {way: await _apart(way, world, started.bootstrap) for way in ("discard", "discard", "ingest")}
    finally:
        await asyncio.to_thread(broker.stop, world)
    (bare, _), (committed, memory) = rates["discard"], rates["ingest"]
    print(f"Kafka to nowhere, bare aiokafka consumer:        {bare:>10,.0f} frames/s")
    print(
        f"Kafka to committed rows, raw frames kept:        {committed:>10,.0f} frames/s   ratio {committed / bare:.2f}"
    )
    print(f"peak memory of that ingest:                      {memory:>10,.0f} MB")


async def _apart(way: str, world: Path, bootstrap: str) -> tuple[float, float]:
    """Run one way in a new process; return frames a second and its peak memory in MB."""
    command = [sys.executable, "-m", "tests.bench.throughput", way, str(world), bootstrap]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    rate, memory = said.split()[-2:]
    return float(rate), float(memory)


def _frame(number: int) -> RawFrame:
    at = SINCE_MS + number // 20
    symbol = f"COIN{number % SYMBOLS}USDT"
    side = "Buy" if number % 3 else "Sell"
    payload = (
        f'{{"topic":"allLiquidation.{symbol}","type":"snapshot","ts":{at + 7},"data":[{{"T":{at},"s":"{symbol}",'
        f'"S":"{side}","v":"{number % 977 / 1000 + 0.001:.3f}","p":"{58000 + number % 8191 / 10:.1f}"}}]}}'
    )
    recv_ns = (at + 11) * 1_000_000
    return RawFrame(
        "bybit", "allLiquidation", symbol, "ws", recv_ns, "bybit-linear-bench-0000", "linear", "live", number + 1,
        payload.encode(),
    )  # fmt: skip


async def _fill(kafka: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(**kafka, acks=1, linger_ms=20, max_batch_size=256 * 1024, compression_type="zstd")
    await producer.start()
    try:
        batches = [producer.create_batch() for _ in range(4)]
        for number in range(FRAMES):
            record = to_record(_frame(number))
            at = number % SYMBOLS % 4
            if batches[at].append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
                await producer.send_batch(batches[at], LIQUIDATION, partition=at)
                batches[at] = producer.create_batch()
                batches[at].append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
        for at, batch in enumerate(batches):
            await producer.send_batch(batch, LIQUIDATION, partition=at)
        await producer.flush()
    finally:
        await producer.stop()


async def _discard(kafka: dict[str, Any]) -> float:
    consumer = AIOKafkaConsumer(**kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(LIQUIDATION, at) for at in range(4)])
        began, seen = time.perf_counter(), 0
        while seen < FRAMES:
            found = await consumer.getmany(timeout_ms=1000)
            seen += sum(len(records) for records in found.values())
        return seen / (time.perf_counter() - began)
    finally:
        await consumer.stop()


async def _ingest(kafka: dict[str, Any], world: Path) -> float:
    schema.create_or_migrate(world)  # once in a warehouse's life, and longer with every view there is
    ingest = Ingest(IngestSettings(data=world))
    began = time.perf_counter()
    totals = await ingest.run(kafka, follow=False, stop=asyncio.Event())
    assert totals.rows["liquidations"] == totals.rows["raw_frames"] == FRAMES, totals
    return FRAMES / (time.perf_counter() - began)


if __name__ == "__main__":
    way, folder, bootstrap = sys.argv[1:]
    kafka = {"bootstrap_servers": bootstrap}
    reached = asyncio.run(_discard(kafka) if way == "discard" else _ingest(kafka, Path(folder)))
    print(reached, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
