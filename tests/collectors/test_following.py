"""Files that grow, as a node writes them: every line once, in order, however often the collector is started anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath

import pytest

from collectors.files import lines as lines_module
from collectors.files.following import Following
from collectors.files.lines import Lines
from collectors.files.place import SETTLES_S, Place, Places
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.topics import LIQUIDATION
from collectors.venues.known import VENUES
from collectors.venues.venue import Folder, polled_only
from tests.collectors.sink import Frames


def _order(file: PurePath) -> tuple[int, ...] | None:
    return (int(file.parts[0]), int(file.parts[1])) if len(file.parts) == 2 and file.name.isdecimal() else None


def _folder(path: Path, silent_s: float = 60.0) -> Folder:
    return Folder("fills", "fills", "", LIQUIDATION, path, _order, lambda line: b"kept" in line, silent_s)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


@asynccontextmanager
async def _following(root: Path, sink: Frames, silent_s: float = 60.0) -> AsyncIterator[Following]:
    following = Following("x", _folder(root / "node", silent_s), sink, root / "followed")
    running = asyncio.create_task(following.run())
    try:
        yield following
    finally:
        following.stop()
        async with asyncio.timeout(30):
            await running


def _payloads(sink: Frames) -> list[str]:
    return [frame.payload.decode() for frame in sink.data]


async def test_lines_come_once_and_in_order_over_hours_and_restarts(tmp_path: Path) -> None:
    sink, node = Frames(), tmp_path / "node"
    _write(node / "20261130" / "8", "kept 0\n")
    _write(node / "20261130" / "9", "kept 1\nother\nkept 2\nkept ")
    _write(node / "20261130" / "notes.txt", "kept, but no file of an hour\n")
    async with _following(tmp_path, sink):
        await sink.until(lambda: len(sink.data) == 2)
        _write(node / "20261130" / "9", "3\n\n")
        _write(node / "20261130" / "10", "kept 4\n")  # as text it is before 9
        await sink.until(lambda: len(sink.data) == 4)
    _write(node / "20261130" / "10", "kept 5\n")
    _write(node / "20261201" / "0", "kept 6\n")
    async with _following(tmp_path, sink):
        await sink.until(lambda: len(sink.data) == 6)
        _write(node / "20261201" / "0", "kept 7\n")
        await sink.until(lambda: len(sink.data) == 7)
    assert _payloads(sink) == [f"kept {n}" for n in range(1, 8)], "of the first start only the newest file is read"
    assert [frame.source for frame in sink.data] == ["backfill"] * 2 + ["live"] * 2 + ["backfill"] * 2 + ["live"]
    seqs = [(frame.session, frame.seq) for frame in sink.data]
    assert [seq for _, seq in seqs] == [1, 2, 1, 2, 1, 2, 1]
    assert {frame.transport for frame in sink.data} == {"ws"}
    ends = [each["frames"] for each in sink.told("stopped")]
    assert ends == [2, 2, 2, 1]


async def test_a_node_that_stops_ends_the_session_and_the_next_line_begins_another(tmp_path: Path) -> None:
    sink, hour = Frames(), tmp_path / "node" / "20261130" / "9"
    _write(hour, "kept 0\n")
    async with _following(tmp_path, sink, silent_s=0.3):
        await sink.until(lambda: sink.told("stopped"))
        _write(hour, "kept 1\n")
        await sink.until(lambda: sink.told("disconnected"))
        _write(hour, "other\n")
        await sink.until(lambda: len(sink.told("subscribed")) == 2)
    assert sink.told("silent")[0]["detail"]["channels"] == [{"channel": "fills", "topic": LIQUIDATION, "arguments": 1}]
    assert sink.told("disconnected")[0]["frames"] == 1


async def test_while_there_is_no_room_nothing_is_read_and_nothing_is_lost(tmp_path: Path) -> None:
    sink, hour = Frames(), tmp_path / "node" / "20261130" / "9"
    sink.full.add(LIQUIDATION)
    _write(hour, "".join(f"kept {n}\n" for n in range(50)))
    async with _following(tmp_path, sink) as following:
        await sink.until(lambda: sink.told("started"))
        sink.empty()
        await sink.until(lambda: len(sink.data) == 50)
        assert following.read == 50
    assert _payloads(sink) == [f"kept {n}" for n in range(50)]


def test_a_file_that_ends_in_a_torn_line_gives_it_once_there_is_a_newer_file(tmp_path: Path) -> None:
    _write(tmp_path / "1" / "1", "kept 1\nkept to")
    lines = Lines(_folder(tmp_path), None)
    assert [line.payload for line in lines.new()] == [b"kept 1"]
    assert list(lines.new()) == []
    _write(tmp_path / "1" / "2", "kept 2\n")
    assert [line.payload for line in lines.new()] == [b"kept to", b"kept 2"]
    assert lines.place == Place("1/2", 7)


def test_whoever_stops_in_the_middle_goes_on_behind_the_last_line_given(tmp_path: Path) -> None:
    _write(tmp_path / "1" / "1", "kept 1\nkept 2\nke")
    lines = Lines(_folder(tmp_path), None)
    assert next(lines.new()).payload == b"kept 1"
    _write(tmp_path / "1" / "1", "pt 3\n")
    assert [line.payload for line in lines.new()] == [b"kept 2", b"kept 3"]


def test_a_file_that_is_gone_or_written_anew_loses_no_later_line(tmp_path: Path) -> None:
    for hour in (1, 2, 3):
        _write(tmp_path / "1" / str(hour), f"kept {hour}\n")
    lines = Lines(_folder(tmp_path), Place("1/1", 7))
    (tmp_path / "1" / "1").unlink()
    assert [line.payload for line in lines.new()] == [b"kept 2", b"kept 3"]
    (tmp_path / "1" / "3").write_text("k\n")
    assert [line.payload for line in lines.new()] == [b"k"]


@pytest.mark.parametrize("length", [11, 35])
async def test_a_line_longer_than_a_frame_is_named_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(lines_module, "LARGEST_MESSAGE", 10)
    monkeypatch.setattr(lines_module, "CHUNK", 4)
    sink = Frames()
    _write(tmp_path / "node" / "1" / "1", f"kept 1\n{'x' * length}\nkept 2\n")
    async with _following(tmp_path, sink):
        await sink.until(lambda: len(sink.data) == 2)
    assert [frame.seq for frame in sink.data] == [1, 3]
    assert [each["detail"]["runs"] for each in sink.told("dropped")] == [[[2, 2]]]


def test_only_what_has_settled_counts_as_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    places = Places(tmp_path / "followed" / "x.json", lambda: now[0])
    places.passed(Place("1/1", 10))
    assert places.last() is None
    now[0] = SETTLES_S
    places.passed(Place("1/1", 20))
    assert places.last() == Place("1/1", 10), "a collector killed now reads 10 to 20 again"
    (tmp_path / "followed" / "x.json").write_text("{")
    assert places.last() is None
    assert "cannot be known" in caplog.text


async def test_a_collector_follows_the_folders_of_its_venue(tmp_path: Path) -> None:
    sink, node = Frames(), tmp_path / "node"
    _write(node / "20261130" / "9", "kept 1\n")
    venue = polled_only("x", {}, (), lambda _: ..., lambda _: None, {}, (_folder(node),))  # type: ignore[arg-type,return-value]
    collector = Collector(venue, sink, CollectorSettings(), followed=tmp_path / "followed")
    running = asyncio.create_task(collector.run())
    await sink.until(lambda: sink.data)
    collector.stop()
    async with asyncio.timeout(30):
        await running
    assert (tmp_path / "followed" / "x-fills.json").exists()


def test_a_node_of_the_operators_is_followed_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert VENUES["hyperliquid"]().folders == ()
    monkeypatch.setenv("LIQ_HYPERLIQUID_NODE", str(tmp_path))
    folder = VENUES["hyperliquid"]().folders[0]
    assert (folder.path, folder.topic) == (tmp_path / "node_fills_by_block", LIQUIDATION)
    assert folder.order(PurePath("hourly/20261130/9")) == (20261130, 9)
    assert folder.order(PurePath("hourly/20261130/9.lz4")) is None
    assert folder.keeps(b'{"events":[["0x",{"liquidation":{}}]]}')
    assert not folder.keeps(b'{"events":[["0x",{}]]}')
