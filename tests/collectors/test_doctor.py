"""What the doctor finds of Java, Kafka and the venues, on servers that speak for them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.doctor import look, names
from collectors.findings import Finding
from collectors.simulator import Simulator
from collectors.venues.known import RECORDS
from tests.collectors.local_rest import Reply, server

Environment = pytest.MonkeyPatch
CONTRACTS = json.dumps({"symbols": [], "serverTime": 1}).encode()


def _set(environment: Environment, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        environment.setenv(name, str(value))


def _of(found: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in found if finding.subject == subject]


async def test_venues_that_answer_are_good_and_their_contracts_are_counted(
    monkeypatch: Environment, tmp_path: Path
) -> None:
    async with Simulator(coins=["BTC", "ETH"]) as simulator:
        _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path})
        found = await look()
    for venue in ("binance", "bybit", "okx"):
        (finding,) = _of(found, venue)
        assert finding.state == "good"
        assert "contracts" in finding.said
        assert "opens" in finding.said
    (kafka,) = _of(found, "Kafka")
    assert (kafka.state, "liq up" in kafka.mend) == ("warning", True)


async def test_every_venue_is_asked_as_it_wants_to_be(monkeypatch: Environment, tmp_path: Path) -> None:
    async with Simulator(coins=["BTC"], venues=list(RECORDS)) as simulator:
        _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path})
        found = await look()
    assert {name: [finding.state for finding in _of(found, name)] for name in RECORDS} == {n: ["good"] for n in RECORDS}


@pytest.mark.parametrize(
    ("reply", "said", "mend"),
    [
        (Reply(b'{"msg":"Service unavailable from a restricted location"}', 451), "HTTP 451", "country"),
        (Reply(b"<html>log in to this network</html>"), "not with instruments", "in between"),
        (Reply(CONTRACTS, headers={"Date": format_datetime(datetime.now(UTC) - timedelta(hours=1))}), "ahead of", "chrony"),
    ],
    ids=["a country that is not served", "a page in between", "a clock an hour ahead"],
)  # fmt: skip
async def test_what_keeps_a_venue_from_being_read_is_named(
    monkeypatch: Environment, tmp_path: Path, reply: Reply, said: str, mend: str
) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        with server(lambda _: reply) as (address, _):
            _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path, "LIQ_BINANCE_UM_REST": address})
            found = await look()
    (finding,) = _of(found, "binance")
    assert finding.state == "broken"
    assert said in finding.said
    assert mend in finding.mend
    assert [each.state for venue in ("bybit", "okx") for each in _of(found, venue)] == ["good", "good"]


@pytest.mark.parametrize(
    ("body", "mend"), [(b"access too frequent", "too many requests"), (b"<html>your country</html>", "country")]
)
async def test_a_403_of_bybit_is_told_by_its_body_from_a_country_that_is_not_served(
    monkeypatch: Environment, tmp_path: Path, body: bytes, mend: str
) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        with server(lambda _: Reply(body, 403)) as (address, _):
            _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path, "LIQ_BYBIT_REST": address})
            (finding,) = _of(await look(), "bybit")
    assert (finding.state, "HTTP 403" in finding.said) == ("broken", True)
    assert mend in finding.mend


async def test_a_socket_that_cannot_be_opened_is_named_though_rest_answers(
    monkeypatch: Environment, tmp_path: Path
) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path, "LIQ_OKX_WS": "ws://127.0.0.1:1"})
        found = await look()
    (finding,) = _of(found, "okx")
    assert finding.state == "broken"
    assert finding.said.startswith("ws://127.0.0.1: ")


async def test_a_wrong_setting_is_named_and_nothing_is_asked_with_it(monkeypatch: Environment) -> None:
    _set(monkeypatch, {"LIQ_OKX_REST": "okx.com"})
    (finding,) = await look()
    assert finding.state == "broken"
    assert "LIQ_OKX_REST=okx.com" in finding.said


async def test_a_kafka_that_does_not_answer_is_broken(monkeypatch: Environment, tmp_path: Path) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        _set(monkeypatch, simulator.env() | {"LIQ_DATA": tmp_path, "LIQ_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
        found = await look()
    (kafka,) = _of(found, "Kafka")
    assert kafka.state == "broken"
    assert "127.0.0.1:1 cannot be reached" in kafka.said
    assert not _of(found, "Java")  # another machine's


def test_every_variable_of_the_collectors_is_known() -> None:
    assert {"LIQ_COLLECT_KLINES", "LIQ_KAFKA_BOOTSTRAP", "LIQ_BINANCE_UM_WS", "LIQ_BACKFILL_SHARE"} <= names()
