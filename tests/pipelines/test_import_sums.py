"""`liq import` of what vendors summed up: rows of its own, beside ours, in no total; twice changes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import NotADumpError
from pipelines.files.recognise import Asked, recognise
from tests.pipelines.test_import_files import START, drain, run
from warehouse import query

HOUR_S = 3600
COINGLASS = {"code": "0", "data": [
    {"time": START + n * HOUR_S * 1000, "aggregated_long_liquidation_usd": str(100.0 + n),
     "aggregated_short_liquidation_usd": 7.5 * n} for n in range(3)
]}  # fmt: skip
COINALYZE = [{"symbol": "BTCUSDT_PERP.A", "history": [{"t": START // 1000, "l": 0.5, "s": 0}]}]
OWN = f"at,longs,shorts\n{START},5,6\n{START + 1_800_000},7,\n"


def write(folder: Path) -> dict[str, Path]:
    texts = {"cg.json": json.dumps(COINGLASS, indent=1), "ca.json": json.dumps(COINALYZE), "own.csv": OWN}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


async def test_sums_of_vendors_and_of_ones_own_are_rows_of_their_own_and_twice_changes_nothing(
    fresh_kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    files, world = write(tmp_path), tmp_path / "world"
    orders = (
        (files["cg.json"], "--symbol", "btc"),
        (files["ca.json"], "--unit", "base", "--period", "1h"),
        (files["own.csv"], "--venue", "aggregated", "--symbol", "ETH", "--unit", "usd", "--period", "30m", "--columns",
         "time=at,long=longs,short=shorts"),
    )  # fmt: skip
    for _ in range(2):
        results = [await asyncio.to_thread(run, *order) for order in orders]
        assert [result.exit_code for result in results] == [0, 0, 0], [result.stderr for result in results]
        assert (await drain(fresh_kafka, world)).dead_letters == 0
    assert "answers of coinglass liquidations; 3 aggregated liquidations in 1 frames" in results[0].stdout
    wanted = [
        ("coinalyze", "BTCUSDT_PERP.A", "BTC", 0, "1h", None, None, 0.5, 0.0),
        *[("coinglass", "BTC", "BTC", n * HOUR_S, "1h", 100.0 + n, 7.5 * n, None, None) for n in range(3)],
        ("own", "ETH", "ETH", 0, "30m", 5.0, 6.0, None, None),
        ("own", "ETH", "ETH", 1800, "30m", 7.0, 0.0, None, None),
    ]
    sql = f"""
        SELECT provider, symbol, base, epoch(ts_event)::BIGINT - {START // 1000}, period, long_usd, short_usd, long_base,
            short_base
        FROM liquidations_aggregated ORDER BY ALL
    """
    assert query.query(sql, world).rows() == wanted
    assert query.query("SELECT count(*) FROM liquidations", world).rows() == [(0,)]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("cg.json", Asked(), "--symbol"),
        ("ca.json", Asked(symbol="BTC"), "--unit"),
        ("own.csv", Asked("aggregated", {"time": "at", "long": "longs", "short": "shorts"}), "--symbol, --unit"),
    ],
)
def test_what_a_file_does_not_say_is_asked_for(tmp_path: Path, name: str, asked: Asked, said: str) -> None:
    with pytest.raises(NotADumpError, match=f"the file does not say it: give {said}"):
        recognise(write(tmp_path)[name], asked)


def test_a_period_that_is_none_is_named(tmp_path: Path) -> None:
    result = run(write(tmp_path)["cg.json"], "--symbol", "BTC", "--period", "hour")
    assert (result.exit_code, "30m, 1h, 1d; not 'hour'" in result.stderr) == (2, True)
