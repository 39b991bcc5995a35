"""Packed recordings that were cut, appended to or damaged give what is whole in them."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.reading import unpacking
from tests.pipelines.framed import (
    LIQUIDATION,
    read,
)


def _numbered(count: int, start: int = 0) -> bytes:
    frames = (LIQUIDATION % (b"X", b"XUSDT", b'"%d"' % (n + 1)) for n in range(start, start + count))
    return b"".join(frame + b"\n" for frame in frames)


def _quantities(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["qty_raw"]) for row in rows]


@pytest.mark.parametrize("cut", [1, 12, 500, 2000])
def test_a_gzip_that_was_cut_gives_what_came_before(tmp_path: Path, cut: int) -> None:
    rows, remarks = read(tmp_path / "cut.gz", "bybit", gzip.compress(_numbered(4000))[:-cut])
    found = _quantities(rows)
    assert found == list(range(1, len(found) + 1))
    assert len(found) > 4000 * (0.98 if cut <= 12 else 0.5)
    assert len(remarks) == 1
    assert "dead letter: gzip ends too early: it is cut here" in remarks[0]


@pytest.mark.parametrize("cut", [1, 8, 9, 40, 300])
@pytest.mark.parametrize("chunk", [100, 64 * 1024])
def test_what_was_appended_behind_a_part_of_gzip_that_was_cut_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int, chunk: int
) -> None:
    """A recorder that was killed and started anew leaves such files."""
    monkeypatch.setattr(unpacking, "_CHUNK", chunk)
    parts = [gzip.compress(_numbered(500, start)) for start in (0, 500, 1000)]
    rows, remarks = read(tmp_path / "cut.gz", "bybit", parts[0][:-cut] + parts[1] + parts[2])
    found = _quantities(rows)
    assert found[-1000:] == list(range(501, 1501))
    assert found[:-1000] == list(range(1, len(found) - 999))
    assert len(found) > 1250
    assert len(remarks) == 1
    assert "dead letter: gzip ends too early: it is cut here" in remarks[0]


def test_flipped_bits_in_one_part_of_a_gzip_cost_no_other_part(tmp_path: Path) -> None:
    parts = [gzip.compress(_numbered(500, start)) for start in (0, 500, 1000)]
    for at in range(12, len(parts[1]), 97):
        broken = bytearray(parts[1])
        broken[at] ^= 0x55
        rows, remarks = read(tmp_path / "broken.gz", "bybit", parts[0] + bytes(broken) + parts[2])
        assert {*range(1, 501), *range(1001, 1501)} <= set(_quantities(rows))
        assert any("dead letter" in remark for remark in remarks)


@pytest.mark.parametrize("junk", [b"\x00" * 1000, b"", b"no gzip at all", b"\x1f\x8b\x08" * 50])
def test_what_is_no_gzip_behind_one_is_named_and_padding_is_not(tmp_path: Path, junk: bytes) -> None:
    data = gzip.compress(_numbered(5)) + junk + gzip.compress(_numbered(5, 5))
    rows, remarks = read(tmp_path / "junk.gz", "bybit", data)
    assert _quantities(rows) == list(range(1, 11))
    assert len(remarks) == (1 if junk.strip(b"\x00") else 0)


def test_a_damaged_file_in_a_zip_costs_no_other_file_of_it(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"frames\x1b[31m{n}.jsonl", _numbered(500, n * 500))
    data = bytearray(out.getvalue())
    second = data.index(b"PK\x03\x04", 10)
    data[second + 200] ^= 0x55
    rows, remarks = read(tmp_path / "broken.zip", "bybit", bytes(data))
    assert {*range(1, 501), *range(1001, 1501)} <= set(_quantities(rows))
    assert any("in the zip is damaged" in remark for remark in remarks)
    assert "\x1b" not in "".join(remarks)
    _, remarks = read(tmp_path / "cut.zip", "bybit", out.getvalue()[:-30])
    assert len(remarks) == 1
    assert "dead letter: a zip that cannot be opened" in remarks[0]


def _lz4(text: bytes) -> bytes:
    return bytes(pa.Codec("lz4").compress(text, asbytes=True))


@pytest.mark.parametrize("parts", [1, 3])
def test_lz4_gives_every_line_of_its_frames(tmp_path: Path, parts: int) -> None:
    packed = b"".join(_lz4(_numbered(500, 500 * part)) for part in range(parts))
    rows, remarks = read(tmp_path / "whole.lz4", "bybit", packed)
    assert _quantities(rows) == list(range(1, 500 * parts + 1))
    assert remarks == []


@pytest.mark.parametrize(("at", "with_"), [(-1, b""), (-2000, b""), (20_000, b"\xff" * 8)])
def test_lz4_that_was_cut_or_damaged_gives_what_came_before_and_says_where_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, with_: bytes
) -> None:
    monkeypatch.setattr(unpacking, "_CHUNK", 1024)
    packed = _lz4(_numbered(20_000))
    broken = packed[:at] + (with_ + packed[at + len(with_) :] if with_ else b"")
    rows, remarks = read(tmp_path / "cut.lz4", "bybit", broken)
    found = _quantities(rows)
    assert found == list(range(1, len(found) + 1))
    assert len(remarks) == 1
    assert "LZ4 is damaged or cut here" in remarks[0]
