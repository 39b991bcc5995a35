"""Ways to read the same frames out of Kafka, each in a process of its own.

    python -m tests.bench.ways discard|ingest BOOTSTRAP FOLDER

prints as JSON when it began and ended (Unix seconds), the frames, and the peak of memory (MB).
"""

import asyncio
import resource
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from collectors.topics import LIQUIDATION
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from tests.bench.filling import FRAMES, PARTS
from warehouse import schema


class Done(NamedTuple):
    """What a way says of itself."""

    began: float
    ended: float
    rows: int
    mb: float


async def discard(kafka: dict[str, Any]) -> tuple[float, int]:
    """Read every frame and throw it away; return when that began, and how many there were."""
    consumer = AIOKafkaConsumer(**kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(LIQUIDATION, at) for at in range(PARTS)])
        began, seen = time.time(), 0
        while seen < FRAMES:
            found = await consumer.getmany(timeout_ms=1000)
            seen += sum(len(records) for records in found.values())
        return began, seen
    finally:
        await consumer.stop()


async def ingest(kafka: dict[str, Any], world: Path) -> tuple[float, int]:
    """Store every frame and its row in a lake with a catalogue in SQLite; return as `discard`."""
    schema.create_or_migrate(world)  # once in a warehouse's life, and longer with every view there is
    one = Ingest(IngestSettings(data=world))
    began = time.time()
    totals = await one.run(kafka, follow=False, stop=asyncio.Event())
    assert totals.rows["liquidations"] == totals.rows["raw_frames"] == FRAMES, totals
    return began, totals.rows["liquidations"]


def main(way: str, bootstrap: str, folder: Path) -> None:
    """Go one way and print what it took."""
    kafka = {"bootstrap_servers": bootstrap}
    began, rows = asyncio.run(discard(kafka) if way == "discard" else ingest(kafka, folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(msgspec.json.encode(Done(began, time.time(), rows, memory)._asdict()).decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
