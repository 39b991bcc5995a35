"""`liq import FILE…`: of each kind rows as a plain reading has them; twice changes nothing; cut, nothing is lost."""

import asyncio
import csv
import gzip
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from liq import app
from pipelines.errors import NotADumpError
from pipelines.files.recognise import Asked, recognise
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
from tests.pipelines.frame_files import FRAMES
from warehouse import query

START = 1_788_000_000_000
TEN = int(datetime(2026, 8, 29, 10, tzinfo=UTC).timestamp()) * 1000
MINUTE, HOUR = 60_000, 3_600_000
KLINES = [
    (START + n * MINUTE, 100.0 + n, 101.0 + n, 99.0 + n, 100.5 + n, 10.0 + n, START + (n + 1) * MINUTE - 1, 1000.0 + n, 5, 4.0,
     400.0, 0) for n in range(5)
]  # fmt: skip
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
ARCHIVE = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TICKERS = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
    "last_price,index_price,mark_price"
)


def text(rows: list[tuple[Any, ...]], header: str = "") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return (f"{header}\n" if header else "") + out.getvalue()


def zipped(name: str, inside: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, inside)
    return out.getvalue()


def forced(n: int, side: str = "SELL") -> dict[str, Any]:
    order = {"s": "ETHUSDT", "S": side, "o": "LIMIT", "f": "IOC", "q": "2", "p": "3000", "ap": f"{2990 + n}", "X": "FILLED",
             "l": "2", "z": "2", "T": START + n * 1000}  # fmt: skip
    return {"e": "forceOrder", "E": START + n * 1000 + 7, "o": order}


def marked(ts: int, price: float) -> dict[str, Any]:
    return {"e": "markPriceUpdate", "E": ts, "s": "ETHUSDT", "p": f"{price}", "i": f"{price}", "P": f"{price}",
            "r": "0.0001", "T": START + 8 * 3_600_000}  # fmt: skip


def write(folder: Path) -> list[Path]:
    """A file of each kind that is known without being told."""
    files: dict[str, bytes] = {
        "BTCUSDT-1m-2026-08-29.zip": zipped("BTCUSDT-1m-2026-08-29.csv", text(KLINES, HEADER)),
        "ETHUSDT-1m-2026-08-29.csv": text(KLINES).encode(),
        "BTC-USDT-SWAP-candlesticks-2026-08-29.zip": zipped("x.csv", text([
            ("BTC-USDT-SWAP", *k[1:5], 100.0, k[5], k[7], k[0], 1) for k in KLINES
        ], "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm")),
        "BTCUSDT_1_2026-08-29_2026-08-29.csv.gz": gzip.compress(text([
            (f"{datetime.fromtimestamp(k[0] // 1000 + 3 * 3600, UTC):%Y.%m.%d %H:%M}", *k[1:6]) for k in KLINES
        ]).encode()),
        "liquidations.csv.gz": gzip.compress(text([
            ("bybit", "BTCUSDT", START * 1000, START * 1000 + 5, "", "buy", 70000.5, 0.25),
            ("bybit", "BTCUSD", START * 1000 + 1_000_000, START * 1000, "", "sell", 69000, 500),
        ], ARCHIVE).encode()),
        "tickers.csv.gz": gzip.compress(text([
            ("okex-swap", "BTC-USDT-SWAP", (START + n * 20_000) * 1000, START * 1000, (START + HOUR) * 1000, 0.0001 * n, "",
             1000 + n, "", 70000 + n, 70010 + n) for n in range(9)
        ], TICKERS).encode()),
        "recorded.jsonl": "".join(json.dumps({"ts": START / 1000, "msg": forced(n)}) + "\n" for n in range(4)).encode(),
        "marks.jsonl": "".join(json.dumps(marked(START + n * 15_000, 3000 + n)) + "\n" for n in range(200)).encode(),
    }  # fmt: skip
    paths = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        paths.append(folder / name)
    return paths


OWN = "when;px;amount;pair;liquidated\n"
MINE = [
    ("2026-08-29 10:00:00", "70000", "1.5", "BTCUSDT", "long"),
    ("2026-08-29T10:00:01Z", "70010", "2", "BTCUSDT", "SHORT"),
]


def mine(folder: Path) -> Path:
    path = folder / "mine.csv"
    path.write_text(
        text([(t, px, qty, pair, side) for t, px, qty, pair, side in MINE], "when,px,amount,pair,liquidated")
    )
    return path


def run(*args: str | Path) -> Any:
    return CliRunner().invoke(app, ["import", *map(str, args)])


async def drain(kafka: dict[str, Any], world: Path) -> Any:
    return await Ingest(IngestSettings(data=world)).run(kafka, follow=False, stop=asyncio.Event())


def ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


async def test_every_kind_gives_the_rows_of_a_plain_reading_and_twice_changes_nothing(
    fresh_kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    folder, world = tmp_path / "files", tmp_path / "world"
    folder.mkdir()
    paths, own = write(folder), mine(folder)
    columns = "time=when,symbol=pair,side=liquidated,qty=amount,price=px"

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return query.query(sql, world).rows()

    def everything() -> dict[str, list[tuple[Any, ...]]]:
        tables = ("klines", "liquidations", "funding_rates", "open_interest", "mark_prices")
        return {name: rows(f"SELECT * FROM {name} ORDER BY ALL") for name in tables}

    stored = []
    for _ in range(2):
        said_of_mine = ("--venue", "bybit", "--columns", columns, "--side-of", "position")
        results = [await asyncio.to_thread(run, *paths), await asyncio.to_thread(run, own, *said_of_mine)]
        assert [result.exit_code for result in results] == [0, 0], [result.stderr for result in results]
        assert (await drain(fresh_kafka, world)).dead_letters == 0
        stored.append(everything())
    assert stored[0] == stored[1]

    said = results[0].stdout
    assert "BTCUSDT-1m-2026-08-29.zip: binance: klines of BTCUSDT; 5 klines in 1 frames" in said
    assert "recorded.jsonl: frames of binance; 4 liquidations in 4 frames" in said
    candles = rows(
        'SELECT symbol, ts_event, "open", high, low, "close", volume_base, volume_quote, trades, closed FROM klines '
        "WHERE venue <> 'bybit' ORDER BY symbol, ts_event"
    )
    plain = [
        *[("BTC-USDT-SWAP", k[0], *k[1:6], k[7], None, True) for k in KLINES],
        *[(symbol, k[0], *k[1:6], k[7], k[8], True) for symbol in ("BTCUSDT", "ETHUSDT") for k in KLINES],
    ]
    assert [(row[0], ms(row[1]), *row[2:]) for row in candles] == plain
    bybit = rows("SELECT ts_event, \"close\", volume_base, closed FROM klines WHERE venue = 'bybit' ORDER BY ts_event")
    assert [(ms(at), *rest) for at, *rest in bybit] == [(k[0], k[4], k[5], True) for k in KLINES]
    liquidations = rows(
        "SELECT venue, symbol, ts_event, order_side, position_side, price, qty_raw, qty_unit, price_kind, source "
        "FROM liquidations ORDER BY venue, ts_event, symbol"
    )
    assert [(row[0], row[1], ms(row[2]), *row[3:]) for row in liquidations] == [
        *[("binance", "ETHUSDT", START + n * 1000, "sell", "long", 2990.0 + n, 2.0, "base", "fill_average", "import")
          for n in range(4)],
        ("bybit", "BTCUSDT", TEN, "sell", "long", 70000.0, 1.5, "base", "undocumented", "import"),
        ("bybit", "BTCUSDT", TEN + 1000, "buy", "short", 70010.0, 2.0, "base", "undocumented", "import"),
        ("bybit", "BTCUSDT", START, "buy", "short", 70000.5, 0.25, "base", "bankruptcy", "import"),
        ("bybit", "BTCUSD", START + 1000, "sell", "long", 69000.0, 500.0, "usd", "bankruptcy", "import"),
    ]  # fmt: skip
    # of every minute of its own time the last mark, whenever it was imported
    marks = rows("SELECT ts, ts_event, mark_price FROM mark_prices WHERE symbol = 'ETHUSDT' ORDER BY ts")
    last = {(START + n * 15_000) // MINUTE: (START + n * 15_000, 3000.0 + n) for n in range(200)}
    assert [(ms(ts) // MINUTE, ms(at), price) for ts, at, price in marks] == [(at, *of) for at, of in last.items()]
    interest = rows("SELECT ts_event, oi_raw, oi_unit FROM open_interest WHERE venue = 'okx' ORDER BY ts_event")
    assert [(ms(at), raw, unit) for at, raw, unit in interest] == [
        (START + n * 20_000, 1000.0 + n, "contract") for n in (2, 5, 8)
    ]
    rates = rows("SELECT funding_rate, next_funding_ts FROM funding_rates WHERE venue = 'okx' ORDER BY ts_event")
    assert [(rate, ms(due)) for rate, due in rates] == [(0.0001 * n, START + 3_600_000) for n in (2, 5, 8)]


async def test_a_file_that_is_cut_loses_nothing_of_what_is_there_and_says_where(
    fresh_kafka: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", fresh_kafka["bootstrap_servers"])
    lines = [("bybit", "BTCUSDT", (START + n) * 1000, 0, "", "buy", 70000 + n, f"0.{n + 1:03}") for n in range(900)]
    whole = text(lines, ARCHIVE)
    half = whole[: len(whole) // 2]
    packed = gzip.compress(whole.encode())
    many = text(
        [(START + n * MINUTE, *KLINES[0][1:6], START + (n + 1) * MINUTE - 1, *KLINES[0][7:]) for n in range(900)],
        HEADER,
    )
    cut = {
        "plain.csv": half.encode(), "packed.csv.gz": packed[: len(packed) // 2],
        "BTCUSDT-1m-2026-08-29.zip": zipped("BTCUSDT-1m-2026-08-29.csv", many)[:3000],
        "frames.jsonl": (json.dumps(forced(1)) + "\n" + json.dumps(forced(2))[:60]).encode(),
    }  # fmt: skip
    for name, data in cut.items():
        (tmp_path / name).write_bytes(data)
    result = await asyncio.to_thread(run, *(tmp_path / name for name in cut))
    assert result.exit_code == 1
    for name in cut:
        assert f"{name}:" in result.stderr, name
    assert "gzip ends too early" in result.stderr
    await drain(fresh_kafka, tmp_path / "world")

    def count(sql: str) -> int:
        return int(query.query(sql, tmp_path / "world").item())

    plain = half.count("\n") - 1
    gz = gzip.GzipFile(fileobj=io.BytesIO(packed[: len(packed) // 2]))
    with pytest.raises(EOFError):
        gz.read()
    there = count("SELECT count(*) FROM liquidations WHERE venue = 'bybit'")
    assert there >= plain > 400, "the two files are of the same liquidations"
    assert count("SELECT count(*) FROM liquidations WHERE venue = 'binance'") == 1
    assert count("SELECT count(*) FROM klines") > 50


def test_an_hour_of_a_nodes_fills_is_known_by_what_is_in_it_and_each_trade_is_one_liquidation(tmp_path: Path) -> None:
    lines = (FRAMES / "hyperliquid" / "node_fills_by_block.jsonl").read_bytes().splitlines()
    blocks = b"".join(line + b"\n" for line in lines if b'"block_number"' in line)
    (tmp_path / "9.lz4").write_bytes(pa.Codec("lz4").compress(blocks, asbytes=True))
    found = recognise(tmp_path / "9.lz4", Asked())
    assert (found.venue, found.what) == ("hyperliquid", "frames of hyperliquid")
    damaged: list[str] = []
    pieces = list(found.pieces(damaged.append))
    assert (len(pieces), {piece.channel for piece in pieces}, damaged) == (7, {"node_fills_by_block"}, [])


def test_what_is_not_imported_is_said_with_its_reason(tmp_path: Path) -> None:
    def why(name: str, data: bytes, asked: Asked = Asked()) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with pytest.raises(NotADumpError) as raised:
            recognise(path, asked)
        return str(raised.value)

    assert "keeps no trades" in why("BTCUSDT-aggTrades-2026-08-29.zip", b"")
    assert "is disputed" in why("BTC-USDT-SWAP-fundingrates-2026-03.zip", b"")
    assert "keeps no trades" in why("BTCUSDT2026-07-25.csv.gz", b"")
    assert "spot market" in why("spot/daily/BTCUSDT-1m-2026-08-29.zip", b"")
    assert "none of binance-futures" in why("x.csv", text([("ftx", "BTC", 1, 1, "", "buy", 1, 1)], ARCHIVE).encode())
    assert "--columns time=" in why("y.csv", b"a,b,c,d,e\n1,2,3,4,5\n")
    told = Asked(None, {"time": "a", "symbol": "b", "side": "c", "qty": "d", "price": "e"})
    assert "--venue" in why("y.csv", b"a,b,c,d,e\n1,2,3,4,5\n", told)
    assert "lacks e; it has a, b, c, d" in why("z.csv", b"a,b,c,d\n1,2,3,4\n", told._replace(venue="okx"))
    assert "not known" in why("w.txt", b"hello\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--columns", "time=a"], "--columns names all of"),
        (["--venue", "nobody"], "no venue 'nobody'"),
        (["--side-of", "me"], "--side-of is one of"),
    ],
)
def test_a_wrong_argument_is_named(tmp_path: Path, args: list[str], said: str) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    result = run(tmp_path / "a.csv", *args)
    assert (result.exit_code, said in result.stderr) == (2, True)
