"""A file of the spool: what was written comes back, and damage costs no more than what is damaged."""

import errno
import os
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.delivery import segment as module
from collectors.delivery.segment import HEADER, MARK, RECORD, Segment, encode
from collectors.envelope import RawFrame

MOST = 1 << 30
PLENTY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def frame(seq: int, payload: bytes = b"{}") -> RawFrame:
    return RawFrame(
        "bybit", "tickers", "BTCUSDT", "ws", 10**18 + seq, "bybit-linear-1-aaaa", "linear", "live", seq, payload,
        "raw.ticker",
    )  # fmt: skip


def made(folder: Path, frames: list[RawFrame]) -> Segment:
    path = folder / "00000001.seg"
    path.unlink(missing_ok=True)
    segment = Segment.create(path, "raw.ticker")
    segment.append(frames, sync=False)
    return segment


def read(segment: Segment) -> list[RawFrame]:
    return segment.read(segment.first, MOST, MOST).frames


def test_the_steady_clock_of_another_boot_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = msgspec.structs.replace(frame(1), steady_ns=5 * 10**9)
    segment = made(tmp_path, [one])
    assert read(segment) == [one]
    monkeypatch.setattr(module, "boot", lambda: "another")
    assert read(segment) == [frame(1)]


OLD = ["bybit", "tickers", "BTCUSDT", "ws", 10**18 + 1, "bybit-linear-1-aaaa", 1, b"{}"]


@pytest.mark.parametrize("later", [[], [0, ""], [5 * 10**9, "another boot"]])
def test_a_file_of_an_older_version_is_read(tmp_path: Path, later: list[object]) -> None:
    segment = made(tmp_path, [])
    old = [OLD, ["kraken-futures", *OLD[1:5], "kraken-futures-backfill-18f0-ab12", *OLD[6:]]]
    bodies = [msgspec.msgpack.encode([*fields, *later]) for fields in old]
    with segment.path.open("ab") as file:
        file.writelines(RECORD.pack(MARK, len(body), crc32(body)) + body for body in bodies)
    live, backfill = read(Segment.found(segment.path, "raw.ticker"))
    assert live == frame(1)
    assert (backfill.venue, backfill.feed, backfill.source) == ("kraken-futures", "backfill", "backfill")


def test_feed_and_source_come_back_whatever_the_session_is_called(tmp_path: Path) -> None:
    one = msgspec.structs.replace(frame(1), session="bybit-import-1-aaaa", feed="inverse", source="backfill")
    assert read(made(tmp_path, [one])) == [one]


@PLENTY
@given(st.lists(st.one_of(st.binary(max_size=300), st.just(MARK * 3)), min_size=1, max_size=20))
def test_frames_come_back_as_they_were_and_in_order(tmp_path: Path, payloads: list[bytes]) -> None:
    frames = [frame(seq, payload) for seq, payload in enumerate(payloads, 1)]
    segment = made(tmp_path, frames)
    assert read(segment) == frames
    found = Segment.found(segment.path, "raw.ticker")
    assert (read(found), found.waiting, found.size) == (frames, len(frames), segment.size)


def test_a_frame_larger_than_a_block_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    frames = [frame(1), frame(2, b"x" * 1000), frame(3)]
    assert read(made(tmp_path, frames)) == frames


def test_reading_stops_at_each_limit_and_goes_on_from_there(tmp_path: Path) -> None:
    frames = [frame(seq, b"x" * 100) for seq in range(1, 11)]
    segment = made(tmp_path, frames)
    first = segment.read(segment.first, 3, MOST)
    assert first.frames == frames[:3]
    second = segment.read(first.next, MOST, 1)
    assert second.frames == frames[3:4]
    segment.settle(second.next, 4)
    found = Segment.found(segment.path, "raw.ticker")
    assert (read(found), found.waiting) == (frames[4:], 6)
    assert not found.is_done
    found.settle(found.size, 6)
    assert Segment.found(segment.path, "raw.ticker").is_done


@pytest.mark.parametrize("left", range(1, len(encode(frame(3)))))
def test_a_record_torn_at_any_byte_is_cut_and_the_others_stay(tmp_path: Path, left: int) -> None:
    segment = made(tmp_path, [frame(1), frame(2), frame(3)])
    os.truncate(segment.path, segment.size - len(encode(frame(3))) + left)
    found = Segment.found(segment.path, "raw.ticker")
    there = found.read(found.first, MOST, MOST)
    assert there.frames == [frame(1), frame(2)]
    assert (there.next, there.damaged) == (found.size, left)


@PLENTY
@given(st.data())
def test_a_flipped_bit_costs_one_frame_at_most(tmp_path: Path, data: st.DataObject) -> None:
    frames = [frame(seq, MARK + b"%d" % seq) for seq in range(1, 8)]
    segment = made(tmp_path, frames)
    content = bytearray(segment.path.read_bytes())
    at = data.draw(st.integers(HEADER.size, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    segment.path.write_bytes(content)
    there = read(Segment.found(segment.path, "raw.ticker"))
    assert len(there) == 6
    assert [each for each in frames if each in there] == there


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = made(tmp_path, [frame(1)])
    real, calls = os.pwrite, 0

    def some_then_none(descriptor: int, data: bytes, at: int) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:10], at)

    monkeypatch.setattr(module.os, "pwrite", some_then_none)
    with pytest.raises(OSError, match="No space left"):
        segment.append([frame(2), frame(3)], sync=False)
    monkeypatch.undo()
    assert segment.path.stat().st_size == segment.size
    segment.append([frame(4)], sync=True)
    assert read(Segment.found(segment.path, "raw.ticker")) == [frame(1), frame(4)]


def test_what_is_no_file_of_the_spool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.seg").write_bytes(b"something else, and long enough")
    with pytest.raises(ValueError, match="is not a spool file"):
        Segment.found(tmp_path / "x.seg", "raw.ticker")


def test_only_its_owner_may_read_a_file(tmp_path: Path) -> None:
    assert made(tmp_path, [frame(1)]).path.stat().st_mode & 0o077 == 0
