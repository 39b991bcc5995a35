"""`liq parse` reads the same rows however a recording is framed, and names what is no frame."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.instruments import Instruments
from pipelines.errors import UsageError
from pipelines.parse_cli import options_of, run
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
    return json.dumps(json.loads(line), indent=2, ensure_ascii=False).encode()


def _carried(key: str, **beside: Any) -> Framing:
    return _each(lambda line: json.dumps({**beside, key: json.loads(line)}).encode())


def _as_text(key: str, **beside: Any) -> Framing:
    return _each(lambda line: json.dumps({**beside, key: line.decode()}).encode())


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
    "carried twice": _each(lambda line: json.dumps({"t": 1, "raw": json.dumps({"x": json.loads(line)})}).encode()),
    "pair": _each(lambda line: b"[1791391083120," + line + b"]"),
    "pair of texts": _each(lambda line: json.dumps([STAMP, line.decode()]).encode()),
    "text": _each(lambda line: json.dumps(line.decode()).encode()),
    "json text sequence": _each(lambda line: b"\x1e" + line),
}
FILES = (
    "binance/forceOrder.jsonl",
    "binance/markPrice.jsonl",
    "bybit/allLiquidation.jsonl",
    "okx/liquidation-orders.jsonl",
)


def _read(path: Path, venue: str, data: bytes, channel: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    path.write_bytes(data)
    out, remarks = io.BytesIO(), list[str]()
    run(options_of(venue, str(path), channel, None), Instruments(), out, remarks.append)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    return [{k: v for k, v in row.items() if k not in ("seq", "session")} for row in rows], remarks


def _good(file: str, tmp_path: Path) -> list[bytes]:
    """Return the file's lines that are one message and give rows: wrappers are only known by what they carry."""
    lines = (FRAMES / file).read_bytes().splitlines()
    read = [(line, *_read(tmp_path / "one", file.partition("/")[0], line)) for line in lines if line[:1] == b"{"]
    return [line for line, rows, remarks in read if rows and not remarks]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("file", FILES)
def test_a_framing_changes_no_row(tmp_path: Path, file: str, framing: str) -> None:
    lines, venue = _good(file, tmp_path), file.partition("/")[0]
    plain, _ = _read(tmp_path / "plain", venue, b"\n".join(lines))
    assert len(plain) >= 3
    framed, remarks = _read(tmp_path / "framed", venue, FRAMINGS[framing](lines))
    by_content = lambda row: json.dumps(row, sort_keys=True)  # noqa: E731
    assert sorted(framed, key=by_content) == sorted(plain, key=by_content)
    assert remarks == []


ANSWER = b'{"symbol":"BTCUSDT","openInterest":"10659.509","time":1791391080000}'


@pytest.mark.parametrize(
    "data",
    [
        ANSWER,
        _indented(ANSWER),
        b"1791391083120 " + ANSWER,
        b'{"url":"https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT","status":200,"body":' + ANSWER + b"}",
        b'{"ts":1,"data":' + ANSWER + b"}",
    ],
)
@pytest.mark.parametrize("channel", [None, "um_openInterest"])
def test_an_answer_is_found_in_what_is_around_it(tmp_path: Path, data: bytes, channel: str | None) -> None:
    rows, remarks = _read(tmp_path / "answers", "binance", data, channel)
    assert ([row["oi_raw"] for row in rows], remarks) == ([10659.509], [])


def test_an_address_that_was_asked_tells_the_channel_of_an_answer(tmp_path: Path) -> None:
    candle = b'[[1791391080000,"1","3","0.5","2","10",1791391139999,"20",5,"4","8","0"]]'
    told = b'{"url":"https://dapi.binance.com/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1m","body":' + candle + b"}"
    rows, _ = _read(tmp_path / "answers", "binance", told)
    assert [(row["volume_base"], row["interval"], row["symbol"]) for row in rows] == [(20.0, "1m", "BTCUSD_PERP")]
    _, remarks = _read(tmp_path / "answers", "binance", candle)
    assert "name the channel: um_klines, cm_klines" in remarks[0]


def test_a_line_that_was_cut_costs_no_other(tmp_path: Path) -> None:
    line = (FRAMES / "binance" / "forceOrder.jsonl").read_bytes().splitlines()[0]
    rows, remarks = _read(tmp_path / "cut", "binance", b"\n".join((line, line[:60], line, line[:-1], line)))
    assert len(rows) == 3
    assert [remark.split(":")[1] for remark in remarks] == ["2", "4"]
    assert all("dead letter" in remark for remark in remarks)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cut\.gz: Compressed file ended"):
        _read(tmp_path / "cut.gz", "binance", gzip.compress(ANSWER * 100)[:-12])


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"[]", b"{}", b"null", b"[[[[[[[[]]]]]]]]", b"[" * 5000, b'"\xff', b"\x00\x01"]
)
@pytest.mark.parametrize("channel", [None, "um_klines", "forceOrder"])
def test_what_is_no_frame_is_no_crash(tmp_path: Path, data: bytes, channel: str | None) -> None:
    rows, remarks = _read(tmp_path / "odd", "binance", data, channel)
    assert rows == []
    assert len(remarks) == (1 if data.strip() else 0)


METRICS = (
    b"create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    b"sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    b"2026-10-01 00:05:00,BTCUSDT,79000.1,5000000000.1,1.5,1.2,1.7,0.9\n2026-10-01 00:10:00,BTCUSDT,1.5,,,,,\n"
)
FUNDING = b"calc_time,funding_interval_hours,last_funding_rate\n1790812800003,4,-0.00010000\n"
SNAPSHOT = (
    b"time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,"
    b"accumulated_fill_quantity\n" + b"1687651200000,SELL,LIMIT,IOC,10,30000,30100,FILLED,10,10\n" * 2
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("any", METRICS, [("open_interest", "BTCUSDT")] * 2 + [("long_short_ratios", "BTCUSDT")] * 4),
        ("BTCUSDT-fundingRate-2026-10.csv", FUNDING, [("funding_settlements", "BTCUSDT")]),
        ("any", FUNDING, [("funding_settlements", "?")]),
        ("BTCUSD_PERP-liquidationSnapshot-2023-06-25.csv", SNAPSHOT, [("liquidations", "BTCUSD_PERP")]),
    ],
)
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dump_file_is_known_by_its_lines_and_read_whole(
    tmp_path: Path,
    name: str,
    text: bytes,
    expected: list[tuple[str, str]],
    header: bool,
    pack: Callable[[bytes], bytes],
) -> None:
    rows, remarks = _read(tmp_path / name, "binance", pack(text if header else text.partition(b"\n")[2]))
    assert [(row["table"], row["symbol"]) for row in rows] == expected
    assert remarks == []


def test_liquidations_of_an_unknown_symbol_are_not_guessed_to_be_coins(tmp_path: Path) -> None:
    rows, remarks = _read(tmp_path / "any", "binance", SNAPSHOT)
    assert rows == []
    assert "whether its quantity is coins or contracts" in remarks[0]


BYBIT = '{"retCode":0,"result":{"symbol":"BTCUSD","category":"inverse","list":[%s]}}'


@pytest.mark.parametrize(
    ("venue", "answer", "table"),
    [
        ("bybit", BYBIT % '{"openInterest":"5","timestamp":"1790000000000"}', "open_interest"),
        ("bybit", BYBIT % '{"symbol":"BTCUSD","fundingRate":"0.1","fundingRateTimestamp":"1790000000000"}',
         "funding_settlements"),
        ("okx", '{"code":"0","data":[{"instId":"BTC-USD-SWAP","oi":"1","oiCcy":"2","ts":"1790000000000"}]}',
         "open_interest"),
    ],
)  # fmt: skip
def test_answers_of_other_venues_are_known_by_their_fields_where_those_tell(
    tmp_path: Path, venue: str, answer: str, table: str
) -> None:
    rows, remarks = _read(tmp_path / "any", venue, json.dumps({"ts": 1, "body": answer}).encode())
    assert ([row["table"] for row in rows], remarks) == ([table], [])


@pytest.mark.parametrize("answer", ['{"retCode":0,"result":{"list":[["1","2"]]}}', '{"code":"0","msg":"","data":[]}'])
def test_an_answer_that_does_not_tell_is_named_with_what_to_do(tmp_path: Path, answer: str) -> None:
    _, remarks = _read(tmp_path / "any", "bybit" if "retCode" in answer else "okx", answer.encode())
    assert "name it with --channel" in remarks[0]
