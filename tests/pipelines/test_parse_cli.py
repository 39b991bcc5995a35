"""`liq parse` as a person uses it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import LoadInstruments, command, read_instruments
from pipelines.venues import VENUES
from tests.pipelines.frame_files import FRAMES

LIQUIDATION = (
    '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkPx":"100000","posSide":"long",'
    '"side":"sell","sz":"50","ts":"1790000000001"}],"instId":"BTC-USDT-SWAP","instType":"SWAP"}]}\n'
)


def _app(load: LoadInstruments | None = None) -> typer.Typer:
    app = typer.Typer()
    app.command()(command(load))
    return app


def _run(*arguments: str, text: str | None = None, load: LoadInstruments | None = None) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(_app(load), list(arguments), input=text)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_rows_come_from_standard_input_with_the_tables_columns() -> None:
    code, rows, err = _run("okx", text=LIQUIDATION)
    row = json.loads(rows[0])
    assert (code, len(rows), err) == (0, 1, "")
    assert list(row)[:3] == ["table", "venue", "symbol"]
    assert (row["qty_base"], row["null_reason"], row["seq"]) == (None, "contract size not known", 1)


def test_instruments_give_the_contract_size_without_a_warehouse() -> None:
    _, rows, _ = _run("okx", "-", "--instruments", str(FRAMES / "okx" / "instruments.jsonl"), text=LIQUIDATION)
    assert json.loads(rows[0])["qty_base"] == 0.5


def test_the_warehouses_instruments_are_used_where_there_is_one() -> None:
    def book() -> Instruments:
        return read_instruments(VENUES["okx"], [FRAMES / "okx" / "instruments.jsonl"])

    assert json.loads(_run("okx", text=LIQUIDATION, load=book)[1][0])["qty_base"] == 0.5
    assert json.loads(_run("okx", text=LIQUIDATION, load=lambda: None)[1][0])["qty_base"] is None


def test_a_frame_without_rows_is_named_and_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl"
    file.write_text("pong\n\n" + LIQUIDATION)
    code, rows, err = _run("okx", str(file))
    assert (code, len(rows)) == (0, 1)
    assert err == f"{file}:1: acknowledgement, error reply, notice or pong\n"


def test_a_dead_letter_is_named_and_the_exit_code_is_one() -> None:
    code, rows, err = _run("okx", text="nonsense\n" + LIQUIDATION)
    assert (code, len(rows)) == (1, 1)
    assert err.startswith("-:1: dead letter: no channel of okx is named: broken JSON: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no venue 'nowhere'. Known: binance, bybit, okx"),
        (("okx", "-", "--symbol", "BTC\x1b[31m"), "--symbol 'BTC\\x1b[31m' has characters that no symbol has"),
        (("okx", "-", "--symbol", "\udcff"), "--symbol '\\udcff' has characters that no symbol has"),
        (("okx", "-", "--channel", "\x1bnope"), "okx has no channel '\\x1bnope'. Known: ws: candle*, "),
        (("okx", "-", "--channel", "nope"), "okx has no channel 'nope'. Known: ws: candle*, "),
        (("okx", "not-there.jsonl"), "not-there.jsonl: No such file"),
        (("okx", "-", "--instruments", "not-there.jsonl"), "not-there.jsonl: No such file"),
        (("okx", "-", "--instruments", str(FRAMES / "bybit" / "instruments.jsonl")), "no contracts of okx"),
    ],
)
def test_a_wrong_request_says_what_there_is_with_exit_code_two(arguments: tuple[str, ...], said: str) -> None:
    code, rows, err = _run(*arguments, text="")
    assert (code, rows) == (2, [])
    assert said in err


@pytest.mark.parametrize("spelling", ["open-interest", "rest_open-interest"])
def test_a_rest_answers_channel_is_given_in_either_spelling(spelling: str) -> None:
    answer = '{"code":"0","data":[{"instId":"BTC-USD-SWAP","oi":"1","oiCcy":"2","ts":"1790000000000"}]}\n'
    code, rows, _ = _run("okx", "-", "--channel", spelling, text=answer)
    assert (code, json.loads(rows[0])["oi_base"]) == (0, 2.0)


def test_the_known_channels_are_listed() -> None:
    code, rows, _ = _run("bybit", "--channels")
    assert code == 0
    assert "ws\tallLiquidation" in rows
    assert "rest\tkline" in rows
