"""The script behind infra/SIZING.md: what it says of a log is what lies there."""

from pathlib import Path

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from collectors.envelope import to_record
from collectors.topics import DAY_MS, TOPICS
from tests.bench.sizing import batches, of_kafka
from tests.pipelines.venue_frames import START_MS, Session

PAGE = (Path(__file__).parents[2] / "infra" / "SIZING.md").read_text()


def _batch(*sent: tuple[str, int]) -> bytes:
    """Return a batch of Kafka's log, zstd, with a frame of each of these venues and sizes."""
    built = DefaultRecordBatchBuilder(2, 4, False, -1, -1, 0, 1 << 20)
    for number, (venue, size) in enumerate(sent):
        frame = Session(venue, "x-1-aaaa").frame("c", "s", b"x" * size, START_MS, "raw.liquidation")
        key, value, headers = to_record(frame)
        assert built.append(number, START_MS, key, value, list(headers))
    return bytes(built.build())


def test_the_bytes_of_a_log_are_shared_out_to_topics_and_venues(tmp_path: Path) -> None:
    one, two = _batch(("okx", 300), ("okx", 100)), _batch(("okx", 100), ("bybit", 300))
    for name, log in (("raw.liquidation-0", one), ("raw.liquidation-1", two + one[:40])):  # the last batch is cut
        (tmp_path / "kafka" / "data" / name).mkdir(parents=True)
        (tmp_path / "kafka" / "data" / name / "0.log").write_bytes(log)
    topics, venues = of_kafka(tmp_path)
    whole = topics["raw.liquidation"]
    assert (whole.frames, whole.sent, whole.stored) == (4, 800, len(one) + len(two))
    assert (venues["okx"].frames, venues["okx"].sent) == (3, 500)
    assert venues["okx"].stored == pytest.approx(len(one) + len(two) / 4)
    assert venues["bybit"].stored == pytest.approx(len(two) * 3 / 4)


def test_what_is_no_batch_ends_the_log() -> None:
    assert list(batches(b"")) == list(batches(bytes(100))) == []


def test_the_page_says_how_long_and_how_much_each_topic_is_kept() -> None:
    for topic in TOPICS:
        (line,) = [line for line in PAGE.splitlines() if f"`{topic.name}`" in line and line.count("|") == 4]
        _, _, kept, most, _ = line.split("|")
        assert kept.strip() == ("for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} days")
        bound = f"{topic.partitions * topic.retention_bytes >> 30} GiB" if topic.retention_bytes > 0 else "no bound"
        assert most.strip().startswith(bound)
