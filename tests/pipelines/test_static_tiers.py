"""Binance's margin tables: the package's dated one, and the operator's own from a file."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collectors.envelope import RawFrame
from collectors.topics import REFERENCE
from liq import app
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.contracts.static_tiers import static_tables, tables_of, with_static
from pipelines.errors import NotADumpError
from pipelines.ingest.resume import instruments_from
from pipelines.ingest.run import Ingest
from pipelines.reprocess.run import reprocess
from pipelines.settings import IngestSettings
from pipelines.venues.binance.imports.bracket_answers import answer_in
from tests.pipelines.commits import commit
from warehouse import lake, query, writer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANSWER = b"""[{"symbol": "BTCUSDT", "brackets": [
    {"bracket": 1, "initialLeverage": 150, "notionalFloor": 0, "notionalCap": 300000, "maintMarginRatio": 0.004,
     "cum": 0},
    {"bracket": 2, "initialLeverage": 100, "notionalFloor": 300000, "notionalCap": 800000, "maintMarginRatio": 0.005,
     "cum": 300}
]}]"""
CURRENT = """
SELECT tier, max_leverage, deduction, source, valid_from::VARCHAR FROM leverage_tiers_as_of
WHERE venue = 'binance' AND symbol = 'BTCUSDT' AND is_current ORDER BY tier
"""


def test_every_static_table_is_dated_whole_and_ends_where_the_next_step_begins() -> None:
    for found in static_tables():
        assert datetime(2019, 1, 1, tzinfo=UTC) < datetime.fromtimestamp(found.at / 1e6, UTC) < NOW
        assert [step.tier for step in found.steps] == list(range(1, len(found.steps) + 1))
        caps = [step.cap for step in found.steps]
        assert [step.floor for step in found.steps] == [0, *caps[:-1]]
        for step in found.steps:
            assert step.maintenance_margin_rate < 1 / step.max_leverage
            assert step.initial_margin_rate == 1 / step.max_leverage


def test_binances_table_is_the_one_of_2021_and_of_bitcoin_alone() -> None:
    (found,) = static_tables()
    assert (found.venue, found.symbol) == ("binance", "BTCUSDT")
    assert datetime.fromtimestamp(found.at / 1e6, UTC) == datetime(2021, 3, 18, 9, tzinfo=UTC)
    rates = [(step.cap, step.maintenance_margin_rate, step.deduction) for step in found.steps]
    assert rates[2:5] == [(1e6, 0.01, 1_300), (1e7, 0.025, 16_300), (2e7, 0.05, 266_300)]
    assert rates[-1] == (5e8, 0.5, 100_016_300)


def test_a_table_laid_out_otherwise_is_refused() -> None:
    with pytest.raises(Exception, match=r"valid_from|not found"):
        tables_of(b"venue,symbol\nbinance,BTCUSDT\n")


def test_static_rows_are_stored_once_say_their_source_and_date_and_are_followed_by_the_operators(
    fresh_world: Path,
) -> None:
    with lake.open(fresh_world, read_only=False) as warehouse:
        book, rows = with_static(Instruments(), NOW)
        assert writer.append(warehouse, {"leverage_tiers": rows})["leverage_tiers"].rows == 10
        assert with_static(book, NOW)[1].is_empty()
        assert with_static(instruments_from(warehouse), NOW)[1].is_empty(), "nor after a restart"
        first = warehouse.connection.execute(CURRENT).fetchall()
        assert first[0] == (1, 125.0, 0.0, "static", "2021-03-18 09:00:00")
        recv_ns = int(NOW.timestamp()) * 1_000_000_000
        session = "binance-import-1-aaaa"
        own = RawFrame(
            "binance",
            "um_leverageBracket",
            "*",
            "rest",
            recv_ns,
            session,
            "import",
            "import",
            1,
            ANSWER,
            REFERENCE,
            0,
            0,
        )
        commit(warehouse, [own], instruments_from(warehouse))
        assert warehouse.connection.execute(CURRENT).fetchall() == [
            (1, 150.0, 0.0, "import", "2026-11-22 12:00:00"),
            (2, 100.0, 300.0, "import", "2026-11-22 12:00:00"),
        ]
        assert with_static(instruments_from(warehouse), NOW)[1].is_empty(), "what is newer is not taken back"
        done = reprocess(warehouse, NOW - timedelta(hours=1), NOW + timedelta(hours=1), "leverage_tiers")
        assert done.tables["leverage_tiers"] == (0, 0, 2), "rows without a frame stay out of reprocess"
        assert warehouse.connection.execute("SELECT count(*) FROM leverage_tiers").fetchall() == [(12,)]


def test_what_was_heard_before_the_static_table_was_loaded_stays_the_newest(fresh_world: Path) -> None:
    with lake.open(fresh_world, read_only=False) as warehouse:
        frame = RawFrame(
            "binance", "um_leverageBracket", "*", "rest", 1_790_000_000_000_000_000, "binance-import-1-a", "import", "import",
            1, ANSWER, REFERENCE, 0, 0,
        )  # fmt: skip
        book = commit(warehouse, [frame])
        writer.append(warehouse, {"leverage_tiers": with_static(book, NOW)[1]})
        assert [row[3] for row in warehouse.connection.execute(CURRENT).fetchall()] == ["import", "import"]


def test_a_file_of_brackets_is_imported_by_the_command_and_ingest_loads_the_static_table(
    fresh_kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    file, world = tmp_path / "brackets.json", tmp_path / "world"
    file.write_bytes(ANSWER)
    for _ in range(2):
        result = CliRunner().invoke(app, ["import", "binance-brackets", str(file)])
        assert result.exit_code == 0, result.stderr
        assert "brackets of 1 contracts are in Kafka, 1 frames" in result.stdout
        asyncio.run(Ingest(IngestSettings(data=world)).run(fresh_kafka, follow=False, stop=asyncio.Event()))
    stored = query.query("SELECT source, count(*) AS n, count(seq) AS of_frames FROM leverage_tiers GROUP BY 1", world)
    assert sorted(stored.rows()) == [("import", 2, 2), ("static", 10, 0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"no json", "broken JSON"),
        (b'{"code":-2015,"msg":"Invalid API-key"}', "error reply -2015"),
        (b'[{"symbol":"X","brackets":[{"bracket":1,"initialLeverage":1,"maintMarginRatio":1}]}]', "has no floor"),
        (b"[]", "an empty list"),
    ],
)
def test_a_file_that_is_no_answer_is_refused(tmp_path: Path, text: bytes, told: str) -> None:
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(NotADumpError, match=told):
        answer_in(tmp_path / "x.json")
    assert CliRunner().invoke(app, ["import", "binance-brackets", str(tmp_path / "none.json")]).exit_code == 2


def test_a_coin_margined_answer_goes_to_its_own_channel(tmp_path: Path) -> None:
    step = b'{"bracket":1,"initialLeverage":100,"qtyFloor":0,"qtyCap":5,"maintMarginRatio":0.004,"cum":0}'
    (tmp_path / "cm.json").write_bytes(b'[{"symbol":"BTCUSD_PERP","brackets":[' + step + b"]}]")
    (tmp_path / "um.json").write_bytes(ANSWER)
    found = [answer_in(tmp_path / name).channel for name in ("cm.json", "um.json")]
    assert found == ["cm_leverageBracket", "um_leverageBracket"]
