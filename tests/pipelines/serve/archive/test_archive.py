"""The archive's dialect: frames come back byte for byte, days in its columns; its own client reads both."""

import csv
import gzip
import io
import json
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, Liquidation, MarkPrice, OpenInterest
from pipelines.venues import VENUES
from pipelines.venues.venue import find
from tests.foreign.install import UnavailableError, tardis_python
from tests.pipelines.serve.archive.conftest import DAY, FRAMES, TEN, frames
from warehouse.query import query

CLIENT = Path(__file__).parents[3] / "foreign" / "tardis_client.py"


def lines(ask: httpx.Client, exchange: str, offset: int = 0, size: int = 1, *filters: dict[str, Any]) -> list[str]:
    given = {"from": f"{TEN.isoformat()}.000Z", "offset": offset, "sliceSize": size, "filters": json.dumps(filters)}
    answer = ask.get(f"/v1/data-feeds/{exchange}", params=given)
    assert (answer.status_code, answer.headers["x-slice-size"]) == (200, str(size)), answer.text
    return answer.text.splitlines()


def payloads(told: list[str]) -> list[str]:
    return [line[29:] for line in told]


def test_frames_come_back_as_they_came_each_to_its_exchange(ask: httpx.Client) -> None:
    um, cm, mark = (payload.decode() for _, _, payload in FRAMES["binance"])
    first = lines(ask, "binance-futures")
    assert payloads(first) == [um, mark]
    assert first[0][:29] == f"{TEN:%Y-%m-%d}T10:00:10.1234560Z "
    assert payloads(lines(ask, "binance-delivery")) == [cm]
    assert payloads(lines(ask, "okex-swap")) == [FRAMES["okx"][0][2].decode()]
    assert payloads(lines(ask, "okex-futures")) == [FRAMES["okx"][1][2].decode()]
    assert len(lines(ask, "bybit", 0, 10)) == 10


def test_filters_choose_channels_and_symbols_in_any_case(ask: httpx.Client) -> None:
    um, mark = (FRAMES["binance"][number][2].decode() for number in (0, 2))
    for filters, expected in (
        ({"channel": "forceOrder", "symbols": ["btcusdt"]}, [um]),
        ({"channel": "forceOrder", "symbols": ["ETHUSDT"]}, []),
        ({"channel": "markPrice"}, [mark]),
        ({"channel": "trade", "symbols": []}, []),
    ):
        assert payloads(lines(ask, "binance-futures", 0, 1, filters)) == expected
    assert len(lines(ask, "bybit", 0, 1, {"channel": "allLiquidation", "symbols": ["BTCUSDT"]})) == 1


def test_an_empty_line_stands_where_nobody_listened(ask: httpx.Client) -> None:
    um = {"channel": "forceOrder", "symbols": ["BTCUSDT"]}
    assert [len(line) > 0 for line in lines(ask, "binance-futures", 3, 4, um)] == [True, False, True, True, False, True]


def test_what_there_is_not_is_refused_with_a_reason(ask: httpx.Client) -> None:
    feed = "/v1/data-feeds/bybit"
    for path, given, status, said in (
        ("/v1/data-feeds/bybt", {"from": TEN.isoformat()}, 404, "did you mean bybit?"),
        (feed, {}, 400, "from is needed"),
        (feed, {"from": "yesterday"}, 400, "from is a time"),
        (feed, {"from": TEN.isoformat(), "offset": "-1"}, 400, "offset is a whole number"),
        (feed, {"from": TEN.isoformat(), "sliceSize": "61"}, 400, "from 1 to 60"),
        (feed, {"from": TEN.isoformat(), "filters": "{"}, 400, "filters are JSON"),
        (feed, {"from": "2020-01-01"}, 400, f"there are frames of bybit from {TEN:%Y-%m-%d}T10:00:10"),
        (feed, {"from": (DAY + timedelta(hours=20)).isoformat()}, 400, "are stored whole"),
        ("/v1/bybit/trades/2026/11/01/BTCUSDT.csv.gz", {}, 404, "no data 'trades'"),
        ("/v1/bybit/liquidations/2026/13/01/BTCUSDT.csv.gz", {}, 404, "YYYY/MM/DD"),
        (f"/v1/bybit/liquidations/{DAY:%Y/%m/%d}/1000PEPEUSD.csv.gz", {}, 404, "1000PEPEUSDT"),
        (f"/v1/bybit/liquidations/{DAY + timedelta(days=1):%Y/%m/%d}/1000PEPEUSDT.csv.gz", {}, 400, "is not over"),
    ):  # fmt: skip
        answer = ask.get(path, params=given)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), (path, answer.text)


def test_exchanges_say_since_when_there_is_what(ask: httpx.Client) -> None:
    listed = {each["id"]: each for each in ask.get("/v1/exchanges").json()}
    assert set(listed) >= {"binance-futures", "binance-delivery", "bybit", "okex-swap", "okex-futures"}
    assert listed["bybit"]["availableSince"] == f"{TEN:%Y-%m-%d}T10:00:10.123456Z"
    assert listed["binance-futures"]["availableChannels"] == ["forceOrder", "markPrice"]
    assert [each["id"] for each in ask.get("/v1/exchanges/bybit").json()["availableSymbols"]] == ["1000PEPEUSDT"]


def test_a_stretch_of_time_is_replayed_as_one_stream(ask: httpx.Client) -> None:
    given = {"exchange": "binance-futures", "from": TEN.isoformat(), "to": (TEN + timedelta(minutes=12)).isoformat(),
             "filters": [{"channel": "forceOrder", "symbols": ["BTCUSDT"]}]}  # fmt: skip
    told = ask.get("/replay", params={"options": json.dumps(given)}).text.splitlines()
    assert [json.loads(line)["message"] for line in told] == [json.loads(FRAMES["binance"][0][2])] * 10
    assert json.loads(told[0])["localTimestamp"] == f"{TEN:%Y-%m-%d}T10:00:10.123456Z"
    breaks = ask.get("/replay", params={"options": json.dumps(given | {"withDisconnects": True})}).text.splitlines()
    assert [number for number, line in enumerate(breaks) if not line] == [4, 7]
    for more, said in (
        ({"exchange": "bybt"}, "did you mean bybit?"), ({"to": TEN.isoformat()}, "from must be before to"),
        ({"speed": 2}, "no option 'speed'"), ({"to": "2030-01-01"}, "are stored whole"), ({"filters": 7}, "filters are JSON"),
        ({"from": 7}, "from is needed"),
    ):  # fmt: skip
        answer = ask.get("/replay", params={"options": json.dumps(given | more)})
        assert (answer.status_code in (400, 404), said in answer.json()["detail"]) == (True, True), answer.text
    assert ask.get("/replay").status_code == 400


@pytest.mark.parametrize(("accepts", "coding"), [
    ("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("", "gzip"), ("zstd;q=0, gzip", "gzip"),
])  # fmt: skip
def test_frames_are_packed_as_the_client_reads_them(
    ask: httpx.Client, tmp_path: Path, accepts: str, coding: str
) -> None:
    given = {"from": f"{TEN.isoformat()}.000Z", "sliceSize": 5}
    with ask.stream("GET", "/v1/data-feeds/bybit", params=given, headers={"Accept-Encoding": accepts}) as answer:
        body = b"".join(answer.iter_raw())
        assert (answer.headers["content-encoding"], "Accept-Encoding" in answer.headers["vary"]) == (coding, True)
    file = tmp_path / f"lines.{'zst' if coding == 'zstd' else 'gz'}"
    file.write_bytes(body)
    read = duckdb.sql(f"SELECT count(*) FROM read_csv('{file}', delim = '\1', header = false, quote = '')").fetchone()
    assert read == (5,)


def _day(ask: httpx.Client, kind: str) -> bytes:
    answer = ask.get(f"/v1/bybit/{kind}/{DAY:%Y/%m/%d}/1000PEPEUSDT.csv.gz")
    assert answer.status_code == 200, answer.text
    return gzip.decompress(answer.content)


def _read(kind: str, text: bytes) -> list[Any]:
    """Return what our own reader of such tables makes of one."""
    frame = RawFrame("bybit", f"archive_{kind}", "*", "rest", time.time_ns(), "s", "f", "import", 1, text)
    return find(VENUES["bybit"], "rest", f"archive_{kind}")(frame, {})  # type: ignore[arg-type]


def test_a_day_of_liquidations_has_the_rows_that_are_stored(ask: httpx.Client, world: Path) -> None:
    text = _day(ask, "liquidations")
    first = next(csv.DictReader(io.StringIO(text.decode())))
    at = int((TEN - datetime(1970, 1, 1)) / timedelta(microseconds=1))  # noqa: DTZ001
    assert first == {"exchange": "bybit", "symbol": "1000PEPEUSDT", "timestamp": str(at + 7000),
                     "local_timestamp": str(at + 30000), "id": "", "side": "sell", "price": "0.0123",
                     "amount": "1500"}  # fmt: skip
    found = [each for each in _read("liquidations", text) if isinstance(each, Liquidation)]
    stored = query("FROM liquidations ORDER BY ts_event", world).to_dicts()
    assert [(each.price, each.qty, each.order_side, each.position_side) for each in found] == [
        (row["price_raw"], row["qty_raw"], row["order_side"], row["position_side"]) for row in stored
    ]


def test_a_day_of_tickers_carries_on_what_was_known_last(ask: httpx.Client) -> None:
    text = _day(ask, "derivative_ticker")
    told = list(csv.DictReader(io.StringIO(text.decode())))
    assert [each["open_interest"] for each in told] == ["1000000", "1000000", "1000002"]
    assert {(each["funding_rate"], each["mark_price"], each["last_price"]) for each in told} == {
        ("0.0001", "0.0125", "")
    }
    kinds = [type(each) for each in _read("derivative_ticker", text)]
    assert {kind: kinds.count(kind) for kind in (FundingRate, OpenInterest, MarkPrice)} == dict.fromkeys(
        (FundingRate, OpenInterest, MarkPrice), 3
    )


@pytest.mark.timeout(400)  # the first run installs the client
def test_the_archives_own_client_replays_from_here(ask: httpx.Client, tmp_path: Path) -> None:
    try:
        python = tardis_python()
    except UnavailableError as error:
        pytest.skip(str(error))
    until = TEN + timedelta(minutes=10)
    span = {"from": TEN.isoformat(), "to": until.isoformat()}
    asked = {
        "replay": [
            {"exchange": "bybit", "filters": [], **span},
            {"exchange": "binance-futures", "filters": [["forceOrder", ["btcusdt"]]], **span},
        ],
        "datasets": [{"exchange": "bybit", "types": ["liquidations", "derivative_ticker"], "symbols": ["1000PEPEUSDT"],
                      "from": f"{DAY:%Y-%m-%d}", "to": f"{DAY + timedelta(days=1):%Y-%m-%d}"}],
    }  # fmt: skip
    command = [str(python), str(CLIENT), str(ask.base_url), str(tmp_path), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    sent = [(row["ts_recv"], row["payload"].decode()) for row in frames() if row["venue"] == "bybit"]
    assert [message.rstrip("\n") for _, message in found["replay"][0]] == [payload for _, payload in sent]
    assert [at for at, _ in found["replay"][0]] == [f"{ts:%Y-%m-%dT%H:%M:%S.%f}0Z" for ts, _ in sent]
    assert [each is None for each in found["replay"][1]].count(True) == 2  # where nobody listened
    assert len(found["replay"][1]) == 12
    assert found["details"]["availableChannels"] == ["allLiquidation"]
    for kind in ("liquidations", "derivative_ticker"):
        name = f"bybit_{kind}_{DAY:%Y-%m-%d}_1000PEPEUSDT.csv.gz"
        assert gzip.decompress((tmp_path / name).read_bytes()) == _day(ask, kind)
