"""The spool: in order, by topic, for one process at a time, and for the next when that has ended."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.delivery.segment import Segment
from collectors.delivery.spool import MIB, Spool
from collectors.envelope import RawFrame
from collectors.topics import KLINE, LIQUIDATION, TICKER

MOST = 1 << 30

HOLD = """
import sys
import time
from pathlib import Path
from collectors.delivery.spool import Spool
from tests.collectors.test_delivery_spool import frames
spool = Spool(Path(sys.argv[1]), 1 << 20)
print(spool.append("raw.liquidation", frames(5, "raw.liquidation", session="other")).frames, flush=True)
sys.stdin.read()
"""


def frames(count: int, topic: str, first: int = 1, size: int = 10, session: str = "one") -> list[RawFrame]:
    return [
        RawFrame("bybit", "c", f"S{seq % 3}", "ws", seq, session, "a", "live", seq, b"x" * size, topic)
        for seq in range(first, first + count)
    ]


def drained(spool: Spool, topic: str, most: int = MOST) -> list[RawFrame]:
    """Read and settle everything, `most` frames at a time."""
    found: list[RawFrame] = []
    while spool.waits(topic):
        taken = spool.take(topic, most, MOST)
        found += taken.frames
        spool.settle(topic, taken.place)
    return found


@contextmanager
def another_process(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has five liquidations in its spool, until it is killed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "5\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_a_topic_is_read_in_order_over_many_files_and_nothing_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    for start in range(1, 401, 20):
        spool.append(TICKER, frames(20, TICKER, start, size=2000))
    spool.append(LIQUIDATION, frames(3, LIQUIDATION))
    assert len(spool.of(TICKER)) > 5
    assert spool.frames == 403
    assert [each.seq for each in drained(spool, TICKER, most=7)] == list(range(1, 401))
    assert [each.seq for each in drained(spool, LIQUIDATION)] == [1, 2, 3]
    assert (spool.bytes, spool.frames) == (0, 0)
    spool.close()
    assert not list((tmp_path / "spool").iterdir())


def test_what_was_written_while_the_oldest_are_sent_comes_after_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    spool.append(TICKER, frames(5, TICKER))
    taken = spool.take(TICKER, 5, MOST)
    spool.append(TICKER, frames(5, TICKER, first=6))
    spool.settle(TICKER, taken.place)
    assert [each.seq for each in drained(spool, TICKER)] == [6, 7, 8, 9, 10]


def test_a_spool_in_use_is_left_alone_and_taken_over_when_its_process_is_killed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    with another_process(tmp_path) as other:
        assert spool.adopt() == 0
        assert not spool.waits(LIQUIDATION)
        spool.append(LIQUIDATION, frames(2, LIQUIDATION))
        other.kill()
        other.wait()
        assert spool.adopt() == 5
        assert spool.adopt() == 0
    assert [(each.session, each.seq) for each in drained(spool, LIQUIDATION)] == [
        *(("other", seq) for seq in range(1, 6)),
        ("one", 1),
        ("one", 2),
    ]
    spool.tidy()
    spool.close()
    assert not list(tmp_path.iterdir())


def test_what_one_process_has_delivered_the_next_does_not_send_again(tmp_path: Path) -> None:
    first = Spool(tmp_path, MIB)
    first.append(TICKER, frames(10, TICKER))
    first.settle(TICKER, first.take(TICKER, 4, MOST).place)
    first.close()
    second = Spool(tmp_path, MIB)
    assert second.adopt() == 6
    assert [each.seq for each in drained(second, TICKER)] == [5, 6, 7, 8, 9, 10]


def test_a_place_stays_right_when_older_files_are_taken_over_meanwhile(tmp_path: Path) -> None:
    left = Spool(tmp_path, MIB)
    left.append(TICKER, frames(3, TICKER, session="old"))
    left.close()
    spool = Spool(tmp_path, MIB)
    spool.append(TICKER, frames(3, TICKER))
    taken = spool.take(TICKER, 3, MOST)
    assert spool.adopt() == 3
    spool.settle(TICKER, taken.place)
    assert [each.session for each in drained(spool, TICKER)] == ["old"] * 3


def test_a_file_that_is_given_up_is_read_once_more_then_deleted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    spool.append(KLINE, frames(5, KLINE))
    spool.settle(KLINE, spool.take(KLINE, 2, MOST).place)
    (segment,) = spool.of(KLINE)
    spool.take_out(segment)
    assert not spool.waits(KLINE)
    assert [each.seq for each in spool.remains(segment)] == [3, 4, 5]
    spool.discard(segment)
    assert not segment.path.exists()


def test_a_file_that_the_disk_does_not_let_go_of_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read_only(_: Segment) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    spool = Spool(tmp_path, MIB)
    spool.append(KLINE, frames(5, KLINE))
    monkeypatch.setattr(Segment, "remove", read_only)
    for _ in range(2):
        spool.discard(spool.of(KLINE)[0])
    assert caplog.text.count("was given up and cannot be deleted") == 1


def test_a_folder_that_somebody_deleted_is_made_anew(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    spool.append(TICKER, frames(1, TICKER))
    for path in sorted((tmp_path / "spool").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert spool.append(TICKER, frames(1, TICKER, first=2)).frames == 0
    assert spool.append(TICKER, frames(1, TICKER, first=2)).frames == 1


def test_others_have_no_access(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    spool.append(TICKER, frames(1, TICKER))
    assert all(path.stat().st_mode & 0o077 == 0 for path in [tmp_path / "spool", *(tmp_path / "spool").rglob("*")])


def test_with_fsync_the_disk_knows_of_each_file_and_has_each_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    spool = Spool(tmp_path / "spool", MIB, sync=True)
    spool.append(TICKER, frames(1, TICKER))
    (segment,) = spool.of(TICKER)
    parents = [segment.path.parent, segment.path.parent.parent, tmp_path / "spool"]
    assert synced == [*map(str, parents), str(segment.path)]
    spool.append(TICKER, frames(1, TICKER))
    assert synced[4:] == [str(segment.path)]


def test_what_is_no_frame_of_ours_stays_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    left = Spool(tmp_path, MIB)
    left.append(TICKER, frames(2, TICKER))
    (segment,) = left.of(TICKER)
    left.close()
    (segment.path.parent / "00000002.seg").write_bytes(b"something else, and long enough")
    (segment.path.parent / "00000003.seg").touch()
    other = segment.path.parent.parent / "raw.unknown"
    other.mkdir()
    (other / "00000001.seg").write_bytes(segment.path.read_bytes())
    spool = Spool(tmp_path, MIB)
    assert (spool.adopt(), spool.adopt()) == (2, 0)
    assert len(drained(spool, TICKER)) == 2
    spool.adopt()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert any("00000002.seg is not a spool file" in line for line in told)
    assert any("raw.unknown" in line for line in told)
    assert {path.name for path in tmp_path.rglob("*.seg")} == {"00000002.seg", "00000001.seg"}


def test_a_file_is_as_old_as_its_last_frame_also_for_the_process_that_takes_it_over(tmp_path: Path) -> None:
    now = [1_000.0]
    spool = Spool(tmp_path, MIB, clock=lambda: now[0])
    spool.append(LIQUIDATION, frames(3, LIQUIDATION))
    (file,) = spool.of(LIQUIDATION)
    now[0] = 1_060.0
    assert spool.age_s(file) == 60.0
    spool.append(LIQUIDATION, frames(3, LIQUIDATION, first=4))
    assert spool.age_s(file) == 0.0
    spool.close()
    hour_ago = time.time() - 3600
    os.utime(file.path, (hour_ago, hour_ago))
    after = Spool(tmp_path, MIB, clock=lambda: 50_000.0)
    assert after.adopt() == 6
    (adopted,) = after.of(LIQUIDATION)
    assert 3590 < after.age_s(adopted) < 3700
