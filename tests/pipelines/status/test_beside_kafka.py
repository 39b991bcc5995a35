"""`liq status` as a command, beside a Kafka that lives: a killed collector is an exit code, not a line to be missed."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from collectors.envelope import RawFrame
from collectors.events import EventName
from collectors.topics import LIQUIDATION
from liq import app
from tests.pipelines.test_ingest import drain, publish
from tests.pipelines.venue_frames import Session, bybit_liquidation

NAME = "linear-18f00-aa01"
CHANNELS = {"channels": [{"channel": "allLiquidation", "topic": LIQUIDATION, "arguments": 1}]}


def told(event: EventName, ago_s: float, frames: int, **detail: Any) -> RawFrame:
    """Return an event that the collector's one session told so long ago."""
    frame = Session("bybit", NAME).event(frames, event, **detail)
    at_ns = time.time_ns() - int(ago_s * 1e9)
    value = msgspec.json.decode(frame.payload) | {"ts_ns": at_ns}
    return msgspec.structs.replace(frame, recv_ns=at_ns, payload=msgspec.json.encode(value))


def heard(ago_s: float) -> RawFrame:
    at_ms = time.time_ns() // 10**6 - int(ago_s * 1000)
    message = bybit_liquidation(at_ms, ("Buy", "1", "100"))
    return Session("bybit", NAME).frame("allLiquidation", "BTCUSDT", message, at_ms, LIQUIDATION)


def status(
    monkeypatch: pytest.MonkeyPatch, world: Path, kafka: dict[str, Any]
) -> tuple[int, dict[str, dict[str, Any]]]:
    monkeypatch.setenv("LIQ_DATA", str(world))
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", kafka["bootstrap_servers"])
    ended = CliRunner().invoke(app, ["status", "--json"])
    return ended.exit_code, {check["subject"]: check for check in json.loads(ended.output)["checks"]}


async def test_a_killed_collector_beside_a_live_kafka_is_exit_code_1_and_named_with_what_to_do(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(fresh_kafka, [told("subscribed", 600, 0, **CHANNELS), heard(400), told("alive", 360, 1)])
    await drain(fresh_kafka, fresh_world)
    code, checks = await asyncio.to_thread(status, monkeypatch, fresh_world, fresh_kafka)
    assert code == 1
    assert (checks["Kafka"]["state"], checks[f"lag {LIQUIDATION}"]["state"]) == ("good", "good")
    killed = checks["collector bybit"]
    assert killed["state"] == "needs you"
    assert killed["said"].startswith("no session lives; the last sign was 6 min")
    assert "without an end: it was killed" in killed["said"]
    assert "liq collect bybit" in killed["mend"]

    await publish(fresh_kafka, [told("alive", 0, 1)])
    await drain(fresh_kafka, fresh_world)
    _, checks = await asyncio.to_thread(status, monkeypatch, fresh_world, fresh_kafka)
    assert checks["collector bybit"]["state"] == "good", "one that shows signs lives"
