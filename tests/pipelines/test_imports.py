"""Dump files in the forms that Binance publishes, through Kafka to the warehouse, each row once."""

import asyncio
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION
from liq import app
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.errors import NotADumpError
from pipelines.facts import FundingSettlement, Liquidation, LongShortRatio, OpenInterest, Rejected
from pipelines.imports.publish import Totals, publish
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from pipelines.venues import parser_of
from pipelines.venues.binance.imports.dump_files import Dump, dump_of, dumps_in, parts, read
from tests.pipelines.venue_frames import Session
from warehouse import query

METRICS = """create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,\
sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio
2026-01-21 00:05:00,ABCUSDT,2000.5000000000000000,4001.0000000000000000,4.25000000,2.50000000,2.00000000,0.75000000
2026-01-21 00:10:00,ABCUSDT,2001.0000000000000000,4002.0000000000000000,4.00000000,,2.00000000,0.80000000
"""
COIN_METRICS = METRICS.splitlines()[0] + (
    '\n2024-06-25 00:00:00,BTCUSD_PERP,5000000.00000000,10000.00000000,"","","",0.50000000\n'
)
FUNDING = (
    "calc_time,funding_interval_hours,last_funding_rate\n1780272000001,8,0.00005000\n1780300800000,4,-0.00001000\n"
)
LIQUIDATIONS = """time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,\
accumulated_fill_quantity
1718000000123,BUY,LIMIT,IOC,7,61741.3,61631.6,FILLED,6,7
1718000000123,BUY,LIMIT,IOC,7,61741.3,61631.6,FILLED,6,7
1718000009456,SELL,LIMIT,IOC,43,60756.6,60931.6,FILLED,1,43
1718000009456,SELL,LIMIT,IOC,43,60756.6,60931.6,FILLED,1,43
"""
FILES = {
    "futures/um/daily/metrics/ABCUSDT/ABCUSDT-metrics-2026-01-21.zip": METRICS,
    "futures/cm/daily/metrics/BTCUSD_PERP/BTCUSD_PERP-metrics-2024-06-25.zip": COIN_METRICS,
    "futures/um/monthly/fundingRate/ABCUSDT/ABCUSDT-fundingRate-2026-06.zip": FUNDING,
    "futures/cm/daily/liquidationSnapshot/BTCUSD_PERP/BTCUSD_PERP-liquidationSnapshot-2024-06-10.csv": LIQUIDATIONS,
}


def _written(folder: Path, files: dict[str, str] | None = None) -> Path:
    for name, text in (files or FILES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_zip(path.with_suffix(".csv").name, text) if path.suffix == ".zip" else text.encode())
    return folder


def _zip(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return packed.getvalue()


def _rows(channel: str, symbol: str, text: str) -> list[Any]:
    parse = parser_of("binance", "rest", channel)
    assert parse is not None
    return parse(
        RawFrame("binance", channel, symbol, "rest", 0, "binance-import-1-aaaa", "import", "import", 1, text.encode()),
        {},
    )


async def _import(kafka: dict[str, Any], *paths: Path) -> Totals:
    return await publish("binance", dumps_in(paths)[0], kafka, id)


async def _drain(kafka: dict[str, Any], world: Path) -> Any:
    return await Ingest(IngestSettings(data=world)).run(kafka, follow=False, stop=asyncio.Event())


async def test_every_kind_is_stored_once_though_imported_twice_and_its_source_is_import(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    folder, world = _written(tmp_path / "dumps"), tmp_path / "world"
    for _ in range(2):
        assert (await _import(fresh_kafka, folder)).files == 4
        totals = await _drain(fresh_kafka, world)
        assert (totals.records, totals.dead_letters) == (4 + 6, 0)

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return query.query(sql, world).rows()

    assert rows(
        "SELECT symbol, oi_raw, oi_unit, oi_base, oi_usd, period FROM open_interest ORDER BY symbol, ts_event"
    ) == [
        ("ABCUSDT", 2000.5, "base", 2000.5, 4001.0, "5m"),
        ("ABCUSDT", 2001.0, "base", 2001.0, 4002.0, "5m"),
        ("BTCUSD_PERP", 5000000.0, "contract", 10000.0, None, "5m"),
    ]
    assert rows("SELECT kind, count(*), max(ratio) FROM long_short_ratios GROUP BY kind ORDER BY kind") == [
        ("global_accounts", 2, 2.0),
        ("taker", 3, 0.8),
        ("top_accounts", 2, 4.25),
        ("top_positions", 1, 2.5),
    ]
    assert rows(
        "SELECT epoch_ms(ts_event), funding_rate, interval_hours FROM funding_settlements ORDER BY ts_event"
    ) == [
        (1780272000000, 0.00005, 8.0),
        (1780300800000, -0.00001, 4.0),
    ]
    assert rows(
        "SELECT symbol, order_side, position_side, price, order_price, qty_raw, qty_unit, completeness, status, occurrence"
        " FROM liquidations ORDER BY ts_event"
    ) == [
        ("BTCUSD_PERP", "buy", "short", 61631.6, 61741.3, 7.0, "contract", "one_per_second_latest", "FILLED", 0),
        ("BTCUSD_PERP", "sell", "long", 60931.6, 60756.6, 43.0, "contract", "one_per_second_latest", "FILLED", 0),
    ]
    for table in ("open_interest", "long_short_ratios", "funding_settlements", "liquidations"):
        assert rows(f"SELECT DISTINCT source FROM {table}") == [("import",)]
    assert rows("SELECT count(*), sum(missing), bool_and(ended) FROM frames_accounted") == [(2, 0, True)]
    files = rows(
        "SELECT DISTINCT json_extract_string(detail, '$.file') AS f FROM collector_events WHERE event = 'notice'"
    )
    assert {name for (name,) in files} == {Path(name).name for name in FILES}


async def test_a_liquidation_that_was_also_heard_live_is_stored_once(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    order = {
        "s": "BTCUSD_PERP", "S": "BUY", "o": "LIMIT", "f": "IOC", "q": "7", "p": "61741.3", "ap": "61631.6", "X": "FILLED",
        "l": "6", "z": "7", "T": 1718000000123, "ps": "BTCUSD", "st": 2,
    }  # fmt: skip
    live = Session("binance", "um-1-aaaa")
    frame = live.frame(
        "forceOrder", "*", {"e": "forceOrder", "E": 1718000001000, "o": order}, 1718000001000, LIQUIDATION
    )
    text = LIQUIDATIONS.encode()
    dumped = RawFrame(
        "binance", "dump_liquidationSnapshot", "BTCUSD_PERP", "rest", 0, "binance-import-1-a", "import", "import", 1, text,
    )  # fmt: skip
    table = normalise(parse_frames([frame, dumped], {}), Instruments()).tables["liquidations"]
    keys = table.select("ts_event", "event_key", "occurrence").rows()
    assert (len(keys), len(set(keys)), table["source"].to_list()) == (3, 2, ["live", "import", "import"])


def test_rows_without_a_header_and_with_the_symbol_among_them_are_read_by_their_place() -> None:
    bare = "\n".join(LIQUIDATIONS.splitlines()[1:])
    assert [row.qty for row in _rows("dump_liquidationSnapshot", "BTCUSD_PERP", bare)] == [7.0, 43.0]
    wide = "1718000000123,ETHUSDT,SELL,LIMIT,IOC,7,3000,3010,FILLED,7,7\n"
    found = _rows("dump_liquidationSnapshot", "*", wide)[0]
    assert isinstance(found, Liquidation)
    assert (found.symbol, found.unit, found.contract, found.price) == ("ETHUSDT", "base", "linear", 3010.0)
    kinds = [type(row) for row in _rows("dump_metrics", "*", METRICS.splitlines()[1])]
    assert kinds == [OpenInterest, *[LongShortRatio] * 4]
    assert isinstance(_rows("dump_fundingRate", "ABCUSDT", FUNDING)[0], FundingSettlement)


@pytest.mark.parametrize(
    ("channel", "text", "told"),
    [
        ("dump_metrics", "a,b\n1,2\n", "the header lacks create_time"),
        ("dump_metrics", "2026-01-21 00:05:00,ABCUSDT,1\n", "3 columns where 8 are documented"),
        ("dump_metrics", "soon" + METRICS[METRICS.index("\n") :], "the header lacks"),
        ("dump_fundingRate", "1780272000001,8,high\n", "'high' is not a number"),
        ("dump_fundingRate", "1780272000,8,0.1\n", "is not in milliseconds"),
        ("dump_liquidationSnapshot", "1718000000123,HOLD,LIMIT,IOC,7,3,3,FILLED,7,7\n", "side is 'HOLD'"),
        ("dump_liquidationSnapshot", "1718000000123,BUY,LIMIT,IOC,0,3,3,FILLED,0,0\n", "not above zero"),
        ("dump_liquidationSnapshot", '"' + "x" * 200_000, "not CSV"),
    ],
)
def test_a_bad_file_or_row_is_rejected_with_a_reason(channel: str, text: str, told: str) -> None:
    rows = _rows(channel, "ABCUSDT", text)
    assert [type(row) for row in rows] == [Rejected]
    assert told in rows[0].reason


def test_a_bad_row_leaves_the_others() -> None:
    rows = _rows("dump_fundingRate", "ABCUSDT", FUNDING + "1780300800000,4\n")
    assert [type(row) for row in rows] == [FundingSettlement, FundingSettlement, Rejected]
    assert rows[2].item == "rows[2]"


@pytest.mark.parametrize("text", ["", METRICS.splitlines()[0]])
def test_a_file_without_rows_is_named_as_such(text: str) -> None:
    assert _rows("dump_metrics", "ABCUSDT", text)[0].reason in ("an empty file", "a header without rows")


def test_a_large_file_is_cut_at_line_ends_with_its_header_on_each_part() -> None:
    lines = [f"{1718000000000 + n},BUY,LIMIT,IOC,7,61741.3,61631.6,FILLED,6,{n + 1}" for n in range(500)]
    text = "\n".join([LIQUIDATIONS.splitlines()[0], *lines, ""]).encode()
    pieces = list(parts(text, most=5_000))
    assert len(pieces) > 4
    assert {piece.split(b"\n", 1)[0] for piece in pieces} == {LIQUIDATIONS.splitlines()[0].encode()}
    found = [row.qty for piece in pieces for row in _rows("dump_liquidationSnapshot", "BTCUSD_PERP", piece.decode())]
    assert found == [float(n + 1) for n in range(500)]
    assert list(parts(text)) == [text]


def test_a_file_is_known_by_its_name() -> None:
    named = dump_of(Path("x/BTCUSDT_240628-liquidationSnapshot-2024-04-01.zip"))
    assert named == Dump(
        Path("x/BTCUSDT_240628-liquidationSnapshot-2024-04-01.zip"), "liquidationSnapshot", "BTCUSDT_240628"
    )
    for other in (
        "BTCUSDT-aggTrades-2024-04-01.zip",
        "spot/BTCUSDT-1m-2024-04-01.zip",
        "BTCUSDT-metrics-2024-04-01.zip.CHECKSUM",
        "metrics.csv",
    ):
        assert dump_of(Path(other)) is None


def test_a_checksum_beside_a_file_is_compared(tmp_path: Path) -> None:
    dump = dump_of(_written(tmp_path) / next(iter(FILES)))
    assert dump is not None
    beside = dump.path.with_name(dump.path.name + ".CHECKSUM")
    beside.write_text(f"{hashlib.sha256(dump.path.read_bytes()).hexdigest()}  {dump.path.name}\n")
    assert read(dump)[0] == METRICS.encode()
    beside.write_text(f"{'0' * 64}  {dump.path.name}\n")
    with pytest.raises(NotADumpError, match="its SHA-256 is"):
        read(dump)


async def test_a_damaged_file_is_named_and_the_others_are_imported(fresh_kafka: dict[str, Any], tmp_path: Path) -> None:
    folder = _written(tmp_path / "dumps")
    (folder / "ABCUSDT-metrics-2026-01-22.zip").write_bytes(b"no zip")
    (folder / "ABCUSDT-metrics-2026-01-23.zip").write_bytes(_zip("readme.txt", "nothing"))
    totals = await _import(fresh_kafka, folder)
    assert (totals.files, len(totals.damaged)) == (4, 2)
    assert "not a zip file" in totals.damaged[0]
    assert "0 CSV files inside" in totals.damaged[1]


def test_the_command_says_what_it_did_and_what_it_left_aside(
    kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", kafka["bootstrap_servers"])
    folder = _written(tmp_path)
    (folder / "BTCUSDT-trades-2024-04-01.csv").write_text("1\n")
    result = CliRunner().invoke(app, ["import", "binance-dump", str(folder)])
    assert result.exit_code == 0, result.stderr
    assert "4 files are in Kafka as 4 frames; 1 files of other kinds were left aside" in result.stdout
    named = CliRunner().invoke(app, ["import", "binance-dump", str(folder / "BTCUSDT-trades-2024-04-01.csv")])
    assert (named.exit_code, "keeps no trades" in named.stderr) == (2, True)
    assert CliRunner().invoke(app, ["import", "binance-dump", str(folder / "none")]).exit_code == 2
