"""Frames come out of recordings of every framing, and what is bad costs only itself."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import options_of, run
from pipelines.reading import unpacking
from tests.pipelines.frame_files import FRAMES
from tests.pipelines.framed import (
    ANSWER,
    FILES,
    FRAMINGS,
    LIQUIDATION,
    SNAPSHOT,
    _indented,
    good,
    read,
)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("file", FILES)
def test_a_framing_changes_no_row(tmp_path: Path, file: str, framing: str) -> None:
    lines, venue = good(file, tmp_path), file.partition("/")[0]
    plain, _ = read(tmp_path / "plain", venue, b"\n".join(lines))
    assert len(plain) >= 3
    framed, remarks = read(tmp_path / "framed", venue, FRAMINGS[framing](lines))
    by_content = lambda row: json.dumps(row, sort_keys=True)  # noqa: E731
    assert sorted(framed, key=by_content) == sorted(plain, key=by_content)
    assert remarks == []


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
    rows, remarks = read(tmp_path / "answers", "binance", data, channel)
    assert ([row["oi_raw"] for row in rows], remarks) == ([10659.509], [])


def test_an_address_that_was_asked_tells_the_channel_of_an_answer(tmp_path: Path) -> None:
    candle = b'[[1791391080000,"1","3","0.5","2","10",1791391139999,"20",5,"4","8","0"]]'
    told = b'{"url":"https://dapi.binance.com/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1m","body":' + candle + b"}"
    rows, _ = read(tmp_path / "answers", "binance", told)
    assert [(row["volume_base"], row["interval"], row["symbol"]) for row in rows] == [(20.0, "1m", "BTCUSD_PERP")]
    _, remarks = read(tmp_path / "answers", "binance", candle)
    assert "name the channel: um_klines, cm_klines" in remarks[0]


def test_a_line_that_was_cut_costs_no_other(tmp_path: Path) -> None:
    line = (FRAMES / "binance" / "forceOrder.jsonl").read_bytes().splitlines()[0]
    rows, remarks = read(tmp_path / "cut", "binance", b"\n".join((line, line[:60], line, line[:-1], line)))
    assert len(rows) == 3
    assert [remark.split(":")[1] for remark in remarks] == ["2", "4"]
    assert all("dead letter" in remark for remark in remarks)


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
    rows, remarks = read(tmp_path / "one", "bybit", line * 300 + line[:40] + line * 5)
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
    _, remarks = read(tmp_path / "long", "bybit", around.replace(b"%s", text))
    assert remarks


def test_a_line_too_long_to_be_a_frame_is_named_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 5000)
    line = LIQUIDATION % (b"X", b"XUSDT", b'"1"')
    for pack in (bytes, gzip.compress, lambda text: text.decode().encode("utf-16")):
        rows, remarks = read(tmp_path / "long", "bybit", pack(b"\n".join((line, b"1" * 20_000, line, b"2" * 5001))))
        assert len(rows) == 2
        assert [remark.split(":")[1] for remark in remarks] == ["2", "4"]
        assert all("dead letter: a line of more than " in remark for remark in remarks)


def test_half_a_character_of_utf_16_costs_its_line(tmp_path: Path) -> None:
    line = LIQUIDATION % (b"X", b"XUSDT", b'"1"')
    text = b"\n".join((line, line.replace(b"XUSDT", b"X@USDT"), line)).decode().encode("utf-16-le")
    data = b"\xff\xfe" + text.replace("@".encode("utf-16-le"), b"\x00\xd8")
    rows, remarks = read(tmp_path / "half", "bybit", data)
    assert len(rows) == 2
    assert [remark.split(":")[1] for remark in remarks] == ["2"]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"[]", b"{}", b"null", b"[[[[[[[[]]]]]]]]", b"[" * 5000, b'"\xff', b"\x00\x01"]
)
@pytest.mark.parametrize("channel", [None, "um_klines", "forceOrder"])
def test_what_is_no_frame_is_no_crash(tmp_path: Path, data: bytes, channel: str | None) -> None:
    rows, remarks = read(tmp_path / "odd", "binance", data, channel)
    assert rows == []
    assert len(remarks) == (1 if data.strip() else 0)


def test_liquidations_of_an_unknown_symbol_are_not_guessed_to_be_coins(tmp_path: Path) -> None:
    rows, remarks = read(tmp_path / "any", "binance", SNAPSHOT)
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
    rows, remarks = read(tmp_path / "any", venue, json.dumps({"ts": 1, "body": answer}).encode())
    assert ([row["table"] for row in rows], remarks) == ([table], [])


@pytest.mark.parametrize("answer", ['{"retCode":0,"result":{"list":[["1","2"]]}}', '{"code":"0","msg":"","data":[]}'])
def test_an_answer_that_does_not_tell_is_named_with_what_to_do(tmp_path: Path, answer: str) -> None:
    _, remarks = read(tmp_path / "any", "bybit" if "retCode" in answer else "okx", answer.encode())
    assert "name it with --channel" in remarks[0]


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
