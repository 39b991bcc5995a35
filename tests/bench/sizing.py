"""What a world takes of the disk, frame by frame and row by row: `python -m tests.bench.sizing WORLD`.

It reads the files of the embedded Kafka as they lie, and the catalogue. Best after `liq demo all --minutes 4`, or of your own
world; nothing is changed. infra/SIZING.md has what came out.
"""

import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aiokafka.record import MemoryRecords

from collectors.topics import TOPICS
from warehouse import lake
from warehouse.lake import METADATA

HEAD = struct.Struct(">qi")
"""Of a batch in Kafka's log: its first offset, and how many bytes follow."""
LOGS = "kafka"
FILES = f"""
SELECT table_name, count(*), sum(record_count), sum(file_size_bytes)
FROM {METADATA}.ducklake_data_file JOIN {METADATA}.ducklake_table USING (table_id)
WHERE ducklake_data_file.end_snapshot IS NULL AND ducklake_table.end_snapshot IS NULL
GROUP BY ALL ORDER BY 4 DESC
"""


class Sizes:
    """Frames, the bytes that the venue sent, and the bytes of Kafka's log."""

    def __init__(self) -> None:
        self.frames, self.sent, self.stored = 0, 0, 0.0

    def add(self, frames: int, sent: int, stored: float) -> None:
        """Count more of them."""
        self.frames, self.sent, self.stored = self.frames + frames, self.sent + sent, self.stored + stored


class Batch(NamedTuple):
    """One batch of a log: its bytes on disk, and of each record the venue and the bytes of its value."""

    stored: int
    records: list[tuple[str, int]]


def batches(log: bytes) -> Iterator[Batch]:
    """Yield the batches of a segment file, whose last one may be cut."""
    at = 0
    while at + HEAD.size <= len(log):
        length = HEAD.unpack_from(log, at)[1]
        end = at + HEAD.size + length
        if length <= 0 or end > len(log):
            return
        batch = MemoryRecords(log[at:end]).next_batch()
        records = [(_venue(each.headers), len(each.value or b"")) for each in batch] if batch else []
        yield Batch(end - at, records)
        at = end


def _venue(headers: list[tuple[str, bytes]]) -> str:
    return next((value.decode() for name, value in headers if name == "venue"), "-")


def of_kafka(world: Path) -> tuple[dict[str, Sizes], dict[str, Sizes]]:
    """Return the sizes by topic, and by venue; a batch of several venues is shared out by the bytes that they sent."""
    topics: dict[str, Sizes] = defaultdict(Sizes)
    venues: dict[str, Sizes] = defaultdict(Sizes)
    for topic in TOPICS:
        for file in sorted((world / LOGS).glob(f"**/{topic.name}-*/*.log")):
            for batch in batches(file.read_bytes()):
                sent = sum(size for _, size in batch.records)
                topics[topic.name].add(len(batch.records), sent, batch.stored)
                for venue, size in batch.records:
                    venues[venue].add(1, size, batch.stored * size / max(1, sent))
    return topics, venues


def show(title: str, found: dict[str, Sizes]) -> None:
    """Print a table, the largest first."""
    print(f"\n{title:24}{'frames':>12}{'sent, B/frame':>16}{'Kafka, B/frame':>16}{'Kafka, MB':>12}")
    for name, each in sorted(found.items(), key=lambda item: -item[1].stored):
        many = max(1, each.frames)
        print(
            f"{name:24}{each.frames:>12,}{each.sent / many:>16,.0f}{each.stored / many:>16,.0f}{each.stored / 1e6:>12,.2f}"
        )


def main(world: Path) -> None:
    """Print what Kafka and the lake of a world take."""
    topics, venues = of_kafka(world)
    show("topic", topics)
    show("venue", venues)
    print(f"\n{'table':24}{'files':>12}{'rows':>16}{'lake, B/row':>16}{'lake, MB':>12}")
    with lake.open(world) as opened:
        for name, files, rows, size in opened.connection.execute(FILES).fetchall():
            print(f"{name:24}{files:>12,}{rows:>16,}{size / max(1, rows):>16,.0f}{size / 1e6:>12,.2f}")
    catalogue = world / "lake" / "catalog.sqlite"
    if catalogue.exists():
        print(f"\ncatalogue: {catalogue.stat().st_size / 1e6:,.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
