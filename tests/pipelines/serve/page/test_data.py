"""What the page asks for beside /v1: the same figures as SQL gives."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

from pipelines.serve.page import matrix, series
from pipelines.serve.page.lately import SAME_S
from pipelines.serve.page.spans import SPANS, span
from warehouse import lake
from warehouse.query import run

AT = "2026-11-30T00:00:00Z"


def sql(market: Path, query: str, as_of: str, **given: object) -> list[dict[str, Any]]:
    """Return the rows of a query as of a moment."""
    with lake.open(market) as opened:
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of.rstrip('Z')}'")
        return run(opened, query, given).frame().to_dicts()


def time_of(seconds: int) -> datetime:
    """Return the time of so many seconds since 1970."""
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001


@pytest.mark.parametrize("name", ["1h", "12h", "7d"])
def test_candles_are_those_of_the_most_traded_contract(get: httpx.Client, market: Path, name: str) -> None:
    found = get.get(f"/page/candles?coin=btc&range={name}").json()
    contract, bars = found["data"]["contract"], found["data"]["bars"]
    as_of, (length, bar) = found["meta"]["as_of"], SPANS[name]
    (best,) = sql(
        market, "SELECT venue FROM price_24h WHERE base = 'BTC' ORDER BY volume_usd DESC, venue LIMIT 1", as_of
    )
    assert contract == {"venue": best["venue"], "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT"}
    since = datetime.fromisoformat(as_of).replace(tzinfo=None) - length
    expected = sql(
        market,
        f"""SELECT bar, "open", high, low, "close" FROM price_bars('BTC/USDT:USDT', '{int(bar.total_seconds() // 60)} minutes',
            '{since:%Y-%m-%d %H:%M:%S}') WHERE venue = $venue ORDER BY bar""",
        as_of,
        venue=contract["venue"],
    )
    assert bars
    traded = [each for each in bars if not each[6]]
    gone_on = {time_of(each[0]) for each in bars if each[6]}  # the last one, where marks are newer than its candle
    assert [(time_of(each[0]), *each[1:5]) for each in traded] == [
        tuple(row.values()) for row in expected if row["bar"] not in gone_on
    ]


def test_without_candles_the_marks_are_drawn_and_said_to_be_marks(get: httpx.Client, market: Path) -> None:
    found = get.get("/page/candles?coin=BTC&range=1h").json()["data"]
    assert "trade" in found["price_kinds"]
    (first,) = sql(market, "SELECT min(ts_event) AS at FROM klines", AT)
    before = f"{first['at'] + timedelta(seconds=30):%Y-%m-%dT%H:%M:%SZ}"
    empty = get.get(f"/page/candles?coin=BTC&range=1h&as_of={before}").json()["data"]
    assert all(bar[6] == ("mark" in empty["price_kinds"]) for bar in empty["bars"] if bar[6])


def test_open_interest_goes_on_to_the_moment_itself_and_says_of_how_many_contracts_it_is(
    get: httpx.Client, market: Path
) -> None:
    found = get.get("/page/interest?coin=BTC&range=12h").json()
    rows = found["data"]
    as_of = rows[-1]["bar_start"]
    since = datetime.fromisoformat(found["meta"]["as_of"]) - datetime.fromisoformat(as_of)
    assert 0 <= since.total_seconds() <= SAME_S, "another range may have been asked for just before"
    (now,) = sql(market, "SELECT oi_usd, contracts FROM open_interest_by_coin WHERE base = 'BTC'", as_of)
    assert (rows[-1]["oi_usd"], rows[-1]["contracts"]) == (pytest.approx(now["oi_usd"]), now["contracts"])
    hours = sql(
        market,
        "SELECT bar, oi_usd, contracts FROM open_interest_history('BTC', '1h') ORDER BY bar DESC LIMIT 3",
        as_of,
    )
    told = [(row["bar_start"], row["oi_usd"], row["contracts"]) for row in rows[-2:-5:-1]]
    assert told == [(f"{row['bar']:%Y-%m-%dT%H:%M:%SZ}", row["oi_usd"], row["contracts"]) for row in hours]


def test_what_was_liquidated_in_bars_adds_up_to_the_total(get: httpx.Client, market: Path) -> None:
    found = get.get("/page/liquidated?coin=ETH&range=1d").json()
    (total,) = sql(
        market,
        "SELECT usd, long_usd FROM liquidation_totals_by_coin WHERE base = 'ETH' AND hours = 24",
        found["meta"]["as_of"],
    )
    rows = found["data"]
    assert sum(row["usd"] for row in rows) == pytest.approx(total["usd"])
    assert sum(row["usd"] for row in rows if row["position_side"] == "long") == pytest.approx(total["long_usd"])


@pytest.mark.parametrize("name", ["4h", "3d", "30d"])
def test_bars_and_the_largest_of_every_range_are_those_of_the_rows(get: httpx.Client, market: Path, name: str) -> None:
    found = get.get(f"/page/liquidated?coin=BTC&range={name}").json()
    asked = span(name, datetime.fromisoformat(found["meta"]["as_of"]).replace(tzinfo=None))
    rows = f"""FROM liquidations_filled_in WHERE base = 'BTC' AND ts_event >= TIMESTAMP '{asked.since}'
        AND ts_event <= TIMESTAMP '{asked.until}'"""
    (total,) = sql(market, f"SELECT sum(notional_usd) AS usd, count(*) AS count {rows}", found["meta"]["as_of"])
    assert sum(row["usd"] for row in found["data"]) == pytest.approx(total["usd"])
    assert sum(row["count"] for row in found["data"]) == total["count"]
    largest = sql(market, f"SELECT notional_usd {rows} ORDER BY notional_usd DESC LIMIT 12", found["meta"]["as_of"])
    told = get.get(f"/page/large?coin=BTC&range={name}&as_of={asked.until:%Y-%m-%dT%H:%M:%SZ}").json()["data"]
    assert [row["notional_usd"] for row in told] == [row["notional_usd"] for row in largest]


def test_the_largest_are_found_also_where_the_hours_still_name_rows_that_are_gone(market: Path) -> None:
    with lake.open(market) as opened:
        (until,) = opened.connection.execute("SELECT max(ts_event) FROM liquidations").fetchone() or (None,)
        asked = span("3d", until)
        known = series.large(opened, "BTC", asked)
        opened.connection.execute(
            "CREATE TEMP VIEW liquidations_1h AS SELECT * REPLACE (largest_usd * 10 AS largest_usd) FROM lake.liquidations_1h"
        )
        assert series.large(opened, "BTC", asked) == known


def test_the_map_has_every_cell_of_the_view_to_a_shade(get: httpx.Client, market: Path) -> None:
    moment = get.get("/v1/liquidations/max_pain?base=BTC").json()["meta"]["as_of"][:19] + "Z"
    body = get.get(f"/page/map/BTC?range=12h&as_of={moment}").content
    length = int.from_bytes(body[:4], "little")
    head = orjson.loads(body[4 : 4 + length])
    rows = len(head["edges"]) - 1
    cells = np.frombuffer(body[4 + length :], np.uint8).reshape(len(head["ts"]), rows)
    view = sql(
        market,
        "SELECT ts, position_side, price_low, price, usd_estimated AS usd FROM liquidation_heatmap WHERE base = 'BTC'",
        moment,
    )
    places = {ts: number for number, ts in enumerate(head["ts"])}
    looked = 0
    for row in view:
        at = int((row["ts"] - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
        place = int(np.searchsorted(head["edges"], row["price"])) - 1
        if at not in places or not 0 <= place < rows or row["usd"] < head["low"]:
            continue
        shade = int(cells[places[at], place])
        assert (shade > matrix.SHORTS) == (row["position_side"] == "short")
        told = head["low"] * (head["high"] / head["low"]) ** ((shade % matrix.SHORTS - 1) / matrix.STEPS)
        assert told == pytest.approx(row["usd"], rel=0.03)
        looked += 1
    assert looked > 500
    assert looked == np.count_nonzero(cells)
    query = """SELECT position_side, leverage, bin, usd_estimated FROM liquidation_map WHERE base = 'BTC'
        ORDER BY position_side, bin, leverage"""
    now = sql(market, query, moment)
    assert [{name: row[name] for name in now[0]} for row in head["now"]] == now


def test_the_hours_that_were_heard_are_those_of_the_minutes(get: httpx.Client, market: Path) -> None:
    found = get.get("/page/heard?range=1d").json()
    rows = [row for row in found["data"] if row["carries_liquidations"]]
    expected = sql(
        market,
        """SELECT sum(connected_share) AS heard, count(*) AS minutes FROM feed_coverage
        WHERE carries_liquidations AND minute <= as_of()""",
        found["meta"]["as_of"],
    )  # fmt: skip
    assert sum(row["minutes"] for row in rows) == expected[0]["minutes"]
    assert sum(row["connected_share"] * row["minutes"] for row in rows) == pytest.approx(expected[0]["heard"])
    assert {row["reason"] for row in rows if row["connected_share"] < 1} == {"disconnected: keepalive ping timeout"}


@pytest.mark.parametrize(
    "path",
    [
        "interest?coin=BTC&range=12h",
        "funding?coin=BTC&range=12h",
        "ratios?coin=BTC&range=12h",
        "large?coin=BTC&range=12h",
    ],
)
def test_every_pane_has_rows_of_both_venues(get: httpx.Client, path: str) -> None:
    found = get.get(f"/page/{path}").json()
    assert len(found["data"]) > 5
    assert found["meta"]["venues"] == ["bybit", "okx"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/page/candles", 400), ("/page/candles?coin=BTC&range=2h", 400), ("/page/candles?coin=NOPE", 404),
     ("/page/nothing?coin=BTC", 404), ("/page/map/NOPE", 404), ("/page/candles?coin=BTC&venue=nowhere", 404),
     ("/page/liquidated?x=1", 400)],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_words(get: httpx.Client, path: str, status: int) -> None:
    answer = get.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


def test_the_lag_is_that_of_the_commits(get: httpx.Client) -> None:
    (row,) = get.get("/page/lag").json()["data"]
    assert (row["kafka_topic"], row["lag_s"], row["lag_most_s"]) == ("raw.liquidation", 4.0, 4.0)
    assert row["age_s"] >= 4


def test_nothing_after_a_past_moment_is_drawn(get: httpx.Client, market: Path) -> None:
    (span,) = sql(market, "SELECT max(ts_event) AS until FROM liquidations", AT)
    moment = span["until"] - timedelta(hours=6)
    found = get.get(f"/page/large?coin=BTC&range=12h&as_of={moment:%Y-%m-%dT%H:%M:%SZ}").json()
    assert found["data"]
    assert max(row["ts_event"] for row in found["data"]) <= f"{moment:%Y-%m-%dT%H:%M:%S}Z"
