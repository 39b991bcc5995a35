"""Views and macros over HTTP: the same rows as in SQL, and what every answer says of itself."""

import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pytest

from pipelines.serve.standing import KEPT_S
from tests.pipelines.serve.conftest import BEGAN, Served
from warehouse.query import query

TOTALS = "/v1/liquidations/totals"


def _sql(served: Served, sql: str) -> list[dict[str, Any]]:
    return query(sql, served.world).to_dicts()


def test_every_resource_answers_its_example(ask: httpx.Client) -> None:
    document = ask.get("/openapi.json").json()
    paths = {
        path: one["get"]
        for path, one in document["paths"].items()
        if path.startswith("/v1/") and "operationId" in one["get"]
    }
    assert len(paths) > 80
    for path, one in paths.items():
        given = {each["name"]: each["example"] for each in one["parameters"] if "example" in each}
        answer = ask.get(path, params=given)
        assert answer.status_code == 200, (path, answer.text)
        assert {"as_of", "age_s", "venues", "completeness", "coverage_share", "lower_bound"} <= answer.json()[
            "meta"
        ].keys()


def test_the_rows_are_those_of_the_view(served: Served) -> None:
    answer = served.client.get(TOTALS, params={"base": "BTC", "hours": "24", "order": "-usd"}).json()
    wanted = _sql(
        served, "FROM liquidation_totals WHERE base = 'BTC' AND hours = 24 ORDER BY usd DESC, venue, position_side"
    )
    assert [(row["venue"], row["position_side"], row["usd"]) for row in answer["data"]] == [
        (row["venue"], row["position_side"], row["usd"]) for row in wanted
    ]
    assert answer["meta"]["venues"] == ["bybit", "okx"]
    assert answer["meta"]["completeness"] == ["all", "partial"]
    assert answer["meta"]["data_to"] == (BEGAN + timedelta(minutes=5)).isoformat() + "Z"
    as_of, data_to = (datetime.fromisoformat(answer["meta"][name].rstrip("Z")) for name in ("as_of", "data_to"))
    now = datetime.now(UTC).replace(tzinfo=None)
    aged = data_to + timedelta(seconds=answer["meta"]["age_s"])
    assert as_of - timedelta(milliseconds=1) <= aged <= now, "as old as it was when it was sent"


def test_a_macro_takes_its_parameters(served: Served) -> None:
    answer = served.client.get("/v1/liquidations/totals_for", params={"hours": "3", "base": "ETH"}).json()
    assert {row["usd"] for row in answer["data"]} == {
        row["usd"] for row in _sql(served, "FROM totals(3) WHERE base = 'ETH'")
    }


@pytest.mark.parametrize("spelled", ["btc", "BTCUSDT", "BTC/USDT:USDT"])
def test_a_coin_may_be_spelled_as_a_venue_does(ask: httpx.Client, spelled: str) -> None:
    assert (
        ask.get(TOTALS, params={"base": spelled}).json()["data"]
        == ask.get(TOTALS, params={"base": "BTC"}).json()["data"]
        != []
    )


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "parquet", "arrow", "arrows"])
def test_every_format_has_the_same_rows(ask: httpx.Client, format: str) -> None:
    answer = ask.get(TOTALS, params={"base": "BTC", "columns": "venue,hours,usd", "format": format})
    read = {
        "json": lambda body: pl.DataFrame(json.loads(body)["data"]),
        "jsonl": lambda body: pl.read_ndjson(io.BytesIO(body)),
        "csv": lambda body: pl.read_csv(io.BytesIO(body)),
        "parquet": lambda body: pl.read_parquet(io.BytesIO(body)),
        "arrow": lambda body: pl.from_arrow(pa.ipc.open_file(io.BytesIO(body)).read_all()),
        "arrows": lambda body: pl.from_arrow(pa.ipc.open_stream(io.BytesIO(body)).read_all()),
    }[format](answer.content)
    wanted = ask.get(TOTALS, params={"base": "BTC", "columns": "venue,hours,usd"}).json()["data"]
    assert read.rows() == [tuple(row.values()) for row in wanted] != []
    assert json.loads(answer.headers["liq-meta"])["rows"] == len(wanted)


def test_accept_chooses_the_format_too(ask: httpx.Client) -> None:
    assert ask.get(TOTALS, headers={"Accept": "text/csv"}).headers["content-type"].startswith("text/csv")
    assert ask.get(TOTALS, headers={"Accept": "image/png"}).status_code == 406


def test_pages_hold_every_row_once_as_of_one_moment(ask: httpx.Client) -> None:
    whole = ask.get("/v1/liquidations/filled_in", params={"limit": 1000, "columns": "event_key"}).json()["data"]
    found, cursor, moments = [], None, set()
    while True:
        page = ask.get("/v1/liquidations/filled_in", params={
            "limit": 70, "columns": "event_key", **({"cursor": cursor} if cursor else {}),
        }).json()  # fmt: skip
        found += page["data"]
        moments.add(page["meta"]["as_of"])
        cursor = page["meta"]["next"]
        if cursor is None:
            break
    assert found == whole
    assert len(found) == 300
    assert len(moments) == 1


def test_times_cut_the_rows(ask: httpx.Client) -> None:
    since, until = (BEGAN + timedelta(seconds=10)).isoformat() + "Z", (BEGAN + timedelta(seconds=20)).isoformat() + "Z"
    answer = ask.get("/v1/liquidations/filled_in", params={"since": since, "until": until}).json()
    times = [datetime.fromisoformat(row["ts_event"].rstrip("Z")) for row in answer["data"]]
    assert times == [BEGAN + timedelta(seconds=second) for second in range(19, 9, -1)], "the newest first"


def test_an_earlier_moment_is_answered_as_of_then(ask: httpx.Client) -> None:
    then = (BEGAN + timedelta(seconds=100)).isoformat() + "Z"
    answer = ask.get("/v1/liquidations/totals_overall", params={"hours": "1", "as_of": then}).json()
    assert (answer["data"][0]["count"], answer["meta"]["as_of"]) == (101, then)


def test_who_has_the_rows_is_told_so(ask: httpx.Client) -> None:
    first = ask.get("/v1/liquidations/filled_in", params={"limit": 5})
    again = ask.get("/v1/liquidations/filled_in", params={"limit": 5}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("given", "said"), [
    ({"bse": "BTC"}, "did you mean base?"),
    ({"columns": "venu"}, "did you mean venue?"),
    ({"order": "uds"}, "did you mean usd?"),
    ({"limit": "0"}, "limit is a whole number"),
    ({"limit": "1e3"}, "limit is a whole number"),
    ({"hours": "many"}, "many"),
    ({"format": "xml"}, "format is one of"),
    ({"since": "2026-01-01"}, "no time of its own"),
    ({"as_of": "yesterday"}, "as_of is a time such as"),
    ({"cursor": "nonsense"}, "cursor is none that an answer gave"),
    ({"base": "BTC\0"}, "NUL"),
])  # fmt: skip
def test_what_cannot_be_answered_is_said_in_one_line(ask: httpx.Client, given: dict[str, str], said: str) -> None:
    answer = ask.get(TOTALS, params=given)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_a_coin_that_is_none_is_named_with_those_that_are(ask: httpx.Client) -> None:
    answer = ask.get(TOTALS, params={"base": "BTX"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "no coin 'BTX'; did you mean BTC?")


@pytest.mark.parametrize(
    "value", ["BTC' OR '1'='1", "BTC'; DROP TABLE liquidations; --", '"', "\\", "' UNION SELECT 1 --"]
)
def test_a_value_is_never_read_as_sql(ask: httpx.Client, value: str) -> None:
    answer = ask.get(f"{TOTALS}?{urlencode({'completeness': value})}")
    assert (answer.status_code, answer.json().get("data")) == (200, [])


def test_nothing_else_is_served(ask: httpx.Client) -> None:
    for path in ("/v1/liquidations/none", "/v1/../etc/passwd", "/v1/liquidations/..%2f..%2fetc", "/docs"):
        answer = ask.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    assert ask.post(TOTALS).status_code == 405


def test_a_brief_says_how_far_to_trust_it(ask: httpx.Client) -> None:
    brief = ask.get("/v1/brief/btc").json()
    assert brief["base"] == "BTC"
    assert brief["liquidations"][-1]["count"] == 200
    assert brief["trust"]["all"].startswith("STALE")
    assert brief["open_interest"] is None
    assert brief["trust"]["open_interest"].startswith("unknown")
    assert ask.get("/v1/brief/nocoin").status_code == 404


def test_a_stretch_that_nobody_measured_is_not_fit(ask: httpx.Client) -> None:
    given = {"instrument": "BTCUSDT", "since": (BEGAN - timedelta(days=1)).isoformat(), "until": BEGAN.isoformat()}
    told = ask.get("/v1/validate", params=given).json()
    assert (told["fit"], told["reasons"]) == (False, ["no feed of liquidations was measured in this time"])
    assert ask.get("/v1/validate", params=given | {"until": given["since"]}).status_code == 400


def test_requests_are_counted_by_a_few_labels(ask: httpx.Client) -> None:
    ask.get(TOTALS)
    told = ask.get("/metrics").text
    assert 'liq_serve_requests_total{path="/v1/rows",status="200"}' in told
    assert 'liq_serve_rows_total{path="/v1/rows"}' in told
    assert "process_resident_memory_bytes" in told


def test_a_question_about_the_past_changes_no_answer_about_now(ask: httpx.Client) -> None:
    for _ in range(6):  # every connection is asked about a time before there was anything
        ask.get(TOTALS, params={"as_of": "2020-01-01"})
    time.sleep(KEPT_S)
    assert ask.get("/health").status_code == 200
    meta = ask.get("/v1/liquidations/totals_for", params={"hours": "3", "columns": "usd"}).json()["meta"]
    assert meta["venues"] == ["bybit", "okx"]
