"""`liq parse` reads the same rows however a recording is framed, and names what is no frame."""

import gzip
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.instruments import Instruments
from pipelines.parse_cli import options_of, run
from pipelines.reading import unpacking
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


LIQUIDATION = b'{"topic":"allLiquidation.%s","data":[{"T":1790000000000,"s":"%s","S":"Buy","v":%s,"p":"2"}]}'
BAD = {
    "not UTF-8": b'{"topic":"tickers.\xe4"}',
    "not UTF-8 in a value": LIQUIDATION % (b"BTCUSDT", b"\xff\xfeBTC", b'"1"'),
    "a lone surrogate": LIQUIDATION % (b"X", b"\\ud800", b'"1"'),
    "a lone surrogate in the topic": LIQUIDATION % (b"\\udfff", b"BTCUSDT", b'"1"'),
    "a surrogate written as UTF-8": LIQUIDATION % (b"X", b"\xed\xa0\x80", b'"1"'),
    "UTF-16 amid UTF-8": '{"topic":"tickers.A","data":[]}'.encode("utf-16-le").replace(b"\n", b""),
    "NUL": b'{"topic":"tick\x00ers.A"}',
    "many NULs": b"{" + b"\x00" * 5000 + b"}",
    "not a number": LIQUIDATION % (b"X", b"XUSDT", b"NaN"),
    "an infinite number": LIQUIDATION % (b"X", b"XUSDT", b"1e999"),
    "an infinite text": LIQUIDATION % (b"X", b"XUSDT", b'"1e999"'),
    "a huge integer": LIQUIDATION % (b"X", b"XUSDT", b"9" * 5000),
    "a huge integer as text": LIQUIDATION % (b"X", b"XUSDT", b'"' + b"9" * 5000 + b'"'),
    "nested 3,000 deep": LIQUIDATION % (b"X", b"XUSDT", b"[" * 3000 + b"]" * 3000),
    "objects 3,000 deep": b'{"topic":"allLiquidation.X","data":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    "cut": (LIQUIDATION % (b"X", b"XUSDT", b'"1"'))[:50],
    "a string that never ends": b'{"topic":"allLiquidation.X","' + b'\\"' * 5000,
    "brackets that never end": b'{"topic":"allLiquidation.X","data":' + b"[" * 3000,
    "very long": LIQUIDATION % (b"X", b"XUSDT", b'"' + b"1" * 300_000 + b'"'),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("bad", BAD)
def test_one_bad_line_costs_one_line(tmp_path: Path, bad: str, framing: str) -> None:
    """Between two good ones, in every framing: their rows, in their order, and dead letters; no crash and no other loss."""
    good = [LIQUIDATION % (symbol, symbol, b'"1"') for symbol in (b"AUSDT", b"BUSDT", b"CUSDT", b"DUSDT")]
    try:
        data = FRAMINGS[framing]([*good[:2], BAD[bad], *good[2:]])
    except UnicodeDecodeError:
        pytest.skip("not to be written so")
    path = tmp_path / "framed"
    path.write_bytes(data)
    out, remarks = io.BytesIO(), list[str]()
    code = run(options_of("bybit", str(path), None, None), Instruments(), out, remarks.append)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["symbol"] for row in rows] == ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    assert code == 1
    assert remarks
    assert all(": dead letter: " in remark for remark in remarks)
    if data.count(b"\n") == 5:  # a line each
        assert [row["seq"] for row in rows] == [1, 2, 4, 5]
        assert {remark.split(":")[1] for remark in remarks} == {"3"}


def test_hundreds_of_frames_on_one_line_are_all_read(tmp_path: Path) -> None:
    line = LIQUIDATION % (b"X", b"XUSDT", b'"1"')
    rows, remarks = _read(tmp_path / "one", "bybit", line * 300 + line[:40] + line * 5)
    assert len(rows) == 305
    assert len(remarks) == 1


def test_each_frame_of_an_array_over_several_lines_is_said_to_lie_in_its_own(tmp_path: Path) -> None:
    line = LIQUIDATION % (b"X", b"XUSDT", b'"%s"')
    (tmp_path / "array").write_bytes(
        b"[\n" + b",\n".join((line % b"1", b'{"no":\n1}', line % b"0", line % b"2")) + b"\n]\n"
    )
    out, remarks = io.BytesIO(), list[str]()
    run(options_of("bybit", str(tmp_path / "array"), None, None), Instruments(), out, remarks.append)
    assert [json.loads(row)["seq"] for row in out.getvalue().splitlines()] == [2, 6]
    assert [remark.removeprefix(f"{tmp_path}/array:").split(": ")[0] for remark in remarks] == ["3", "5"]


@pytest.mark.parametrize("text", [b'"' * 200_000, b'"\\' * 200_000, b'"{' * 200_000, b'"[' * 200_000 + b'"', b"[1," * 200_000,
                                  b'{"a":' * 100_000, b'{"a"' * 100_000, b"}" * 200_000])  # fmt: skip
@pytest.mark.parametrize("around", [b"[\n%s\n%s", b'"%s'])
@pytest.mark.timeout(60)
def test_no_line_takes_more_time_than_its_length_asks_for(tmp_path: Path, text: bytes, around: bytes) -> None:
    """A reader that starts anew at every quote or bracket would take hours over these."""
    _, remarks = _read(tmp_path / "long", "bybit", around.replace(b"%s", text))
    assert remarks


def test_a_line_too_long_to_be_a_frame_is_named_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 5000)
    line = LIQUIDATION % (b"X", b"XUSDT", b'"1"')
    for pack in (bytes, gzip.compress, lambda text: text.decode().encode("utf-16")):
        rows, remarks = _read(tmp_path / "long", "bybit", pack(b"\n".join((line, b"1" * 20_000, line, b"2" * 5001))))
        assert len(rows) == 2
        assert [remark.split(":")[1] for remark in remarks] == ["2", "4"]
        assert all("dead letter: a line of more than " in remark for remark in remarks)


def _numbered(count: int, start: int = 0) -> bytes:
    frames = (LIQUIDATION % (b"X", b"XUSDT", b'"%d"' % (n + 1)) for n in range(start, start + count))
    return b"".join(frame + b"\n" for frame in frames)


def _quantities(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["qty_raw"]) for row in rows]


@pytest.mark.parametrize("cut", [1, 12, 500, 2000])
def test_a_gzip_that_was_cut_gives_what_came_before(tmp_path: Path, cut: int) -> None:
    rows, remarks = _read(tmp_path / "cut.gz", "bybit", gzip.compress(_numbered(4000))[:-cut])
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
    rows, remarks = _read(tmp_path / "cut.gz", "bybit", parts[0][:-cut] + parts[1] + parts[2])
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
        rows, remarks = _read(tmp_path / "broken.gz", "bybit", parts[0] + bytes(broken) + parts[2])
        assert {*range(1, 501), *range(1001, 1501)} <= set(_quantities(rows))
        assert any("dead letter" in remark for remark in remarks)


@pytest.mark.parametrize("junk", [b"\x00" * 1000, b"", b"no gzip at all", b"\x1f\x8b\x08" * 50])
def test_what_is_no_gzip_behind_one_is_named_and_padding_is_not(tmp_path: Path, junk: bytes) -> None:
    data = gzip.compress(_numbered(5)) + junk + gzip.compress(_numbered(5, 5))
    rows, remarks = _read(tmp_path / "junk.gz", "bybit", data)
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
    rows, remarks = _read(tmp_path / "broken.zip", "bybit", bytes(data))
    assert {*range(1, 501), *range(1001, 1501)} <= set(_quantities(rows))
    assert any("in the zip is damaged" in remark for remark in remarks)
    assert "\x1b" not in "".join(remarks)
    _, remarks = _read(tmp_path / "cut.zip", "bybit", out.getvalue()[:-30])
    assert len(remarks) == 1
    assert "dead letter: a zip that cannot be opened" in remarks[0]


def test_half_a_character_of_utf_16_costs_its_line(tmp_path: Path) -> None:
    line = LIQUIDATION % (b"X", b"XUSDT", b'"1"')
    text = b"\n".join((line, line.replace(b"XUSDT", b"X@USDT"), line)).decode().encode("utf-16-le")
    data = b"\xff\xfe" + text.replace("@".encode("utf-16-le"), b"\x00\xd8")
    rows, remarks = _read(tmp_path / "half", "bybit", data)
    assert len(rows) == 2
    assert [remark.split(":")[1] for remark in remarks] == ["2"]


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


@pytest.mark.parametrize("bad", [b"1790812800003,4,\xff", b"\xe4,4,0.1", b"1790812800003,4,0.1\x00", b'1790812800003,4,"',
                                 b"1790812800003,4", b"1790812800003,4,1e999", b"," * 300_000])  # fmt: skip
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_one_bad_line_of_a_dump_costs_one_line(
    tmp_path: Path, bad: bytes, header: bool, pack: Callable[[bytes], bytes]
) -> None:
    line = FUNDING.splitlines()[1]
    data = b"\n".join([*FUNDING.splitlines()[: 2 if header else 0], line, bad, line])
    rows, remarks = _read(tmp_path / "BTCUSDT-fundingRate-2026-10.csv", "binance", pack(data))
    assert len(rows) == (3 if header else 2)
    assert len(remarks) == 1
    assert "dead letter: rows[" in remarks[0]


def test_a_dump_that_is_cut_in_its_gzip_gives_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(FUNDING + FUNDING.splitlines(keepends=True)[1] * 3000)[:-30]
    rows, remarks = _read(tmp_path / "BTCUSDT-fundingRate-2026-10.csv.gz", "binance", data)
    assert len(rows) > 500
    assert any("gzip ends too early" in remark for remark in remarks)


@pytest.mark.parametrize("name", ["a\x1b[31mred.jsonl", "a\nb.jsonl", "a\udcff.jsonl", "rest_\udce4.jsonl"])
def test_a_files_name_is_shown_on_one_line_whatever_it_holds(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"nonsense\n" + LIQUIDATION % (b"X", b"XUSDT", b'"1"'))
    done = subprocess.run([sys.executable, "-m", "liq", "parse", "bybit", path], capture_output=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines()), len(done.stderr.splitlines())) == (1, 1, 1)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"dead letter" in done.stderr
