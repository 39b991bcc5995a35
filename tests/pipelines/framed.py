"""Recordings in any framing, and what `liq parse` reads of them."""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import options_of, run
from tests.pipelines.frame_files import FRAMES

Framing = Callable[[list[bytes]], bytes]
STAMP = "2026-10-07T12:00:00.123Z"


def _zipped(lines: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("frames.jsonl", b"\n".join(lines))
    return out.getvalue()


def _each(wrap: Callable[[bytes], bytes]) -> Framing:
    return lambda lines: b"\n".join(wrap(line) for line in lines) + b"\n"


def _indented(line: bytes) -> bytes:
    return b"\n ".join(re.split(rb"(?<=[{}\[\],]) ?(?=[\"{}\[\]])", line))


def _carried(key: str, **beside: Any) -> Framing:
    before = json.dumps(beside).encode()[:-1]
    return _each(lambda line: before + b', "' + key.encode() + b'": ' + line + b"}")


def _text(line: bytes) -> bytes:
    """Write a line as a JSON text, bytes that are no UTF-8 as they are."""
    return json.dumps(line.decode(errors="surrogateescape"), ensure_ascii=False).encode(errors="surrogateescape")


def _as_text(key: str, **beside: Any) -> Framing:
    before = json.dumps(beside).encode()[:-1]
    return _each(lambda line: before + b', "' + key.encode() + b'": ' + _text(line) + b"}")


FRAMINGS: dict[str, Framing] = {
    "gzip": lambda lines: gzip.compress(b"\n".join(lines)),
    "zip": _zipped,
    "utf-16": lambda lines: b"\n".join(lines).decode().encode("utf-16"),
    "byte order mark": lambda lines: b"\xef\xbb\xbf" + b"\n".join(lines),
    "crlf": lambda lines: b"\r\n".join(lines) + b"\r\n",
    "blank lines": lambda lines: b"\n\n   \n".join(lines) + b"\n \t\n\n",
    "time before": _each(lambda line: b"1791391083120 " + line),
    "time column": _each(lambda line: f"{STAMP}\t".encode() + line),
    "time in brackets": _each(lambda line: b"[1791391083120] " + line),
    "time behind": _each(lambda line: line + b"\t1791391083120"),
    "direction": _each(lambda line: b"<- " + line),
    "csv": _each(lambda line: b'1791391083120,"' + line.replace(b'"', b'""') + b'"'),
    "one after another": b"".join,
    "array": lambda lines: b"[" + b",".join(lines) + b"]",
    "array, a line each": lambda lines: b"[\n" + b",\n".join(lines) + b"\n]\n",
    "indented": _each(_indented),
    "indented array": lambda lines: _indented(b"[" + b",".join(lines) + b"]"),
    "carried": _carried("msg", ts=1791391083120),
    "carried as text": _as_text("payload", recv_ns=1791391083120000000),
    "carried as data": _carried("data", timestamp=STAMP),
    "carried twice": _each(lambda line: b'{"t": 1, "raw": ' + _text(b'{"x": ' + line + b"}") + b"}"),
    "pair": _each(lambda line: b"[1791391083120," + line + b"]"),
    "pair of texts": _each(lambda line: f'["{STAMP}", '.encode() + _text(line) + b"]"),
    "text": _each(_text),
    "json text sequence": _each(lambda line: b"\x1e" + line),
}
FILES = (
    "binance/forceOrder.jsonl",
    "binance/markPrice.jsonl",
    "bybit/allLiquidation.jsonl",
    "okx/liquidation-orders.jsonl",
)


def read(path: Path, venue: str, data: bytes, channel: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    path.write_bytes(data)
    out, remarks = io.BytesIO(), list[str]()
    run(options_of(venue, str(path), channel, None), Instruments(), out, remarks.append)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    return [{k: v for k, v in row.items() if k not in ("seq", "session")} for row in rows], remarks


def good(file: str, tmp_path: Path) -> list[bytes]:
    """Return the file's lines that are one message and give rows: wrappers are only known by what they carry."""
    lines = (FRAMES / file).read_bytes().splitlines()
    found = [(line, *read(tmp_path / "one", file.partition("/")[0], line)) for line in lines if line[:1] == b"{"]
    return [line for line, rows, remarks in found if rows and not remarks]


ANSWER = b'{"symbol":"BTCUSDT","openInterest":"10659.509","time":1791391080000}'
LIQUIDATION = b'{"topic":"allLiquidation.%s","data":[{"T":1790000000000,"s":"%s","S":"Buy","v":%s,"p":"2"}]}'
SNAPSHOT = (
    b"time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,"
    b"accumulated_fill_quantity\n" + b"1687651200000,SELL,LIMIT,IOC,10,30000,30100,FILLED,10,10\n" * 2
)
