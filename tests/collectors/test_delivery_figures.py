"""`/metrics` and `/health` of a collector: what it heard, what it has, and whether data come."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from collectors.delivery import recorder as recording
from collectors.delivery.counts import Counts
from collectors.delivery.figures import Figures
from collectors.delivery.publisher import MIB, Publisher
from collectors.delivery.recorder import Recorder
from collectors.delivery.spool import Spool
from collectors.metrics import Figures as Made
from collectors.metrics import serving
from collectors.settings import CollectorSettings
from collectors.topics import LIQUIDATION, TICKER
from collectors.venues.venue import Frame

ALERTS = Path(__file__).parents[2] / "infra" / "alerts.yaml"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    fresh = Counts()
    monkeypatch.setattr(recording, "COUNTS", fresh)
    return fresh


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def _values(figures: Figures) -> dict[tuple[str, ...], float]:
    metrics: list[Metric] = list(figures.metrics())
    return {(each.name, *each.labels.values()): each.value for metric in metrics for each in metric.samples}


async def _publisher(folder: Path) -> Publisher:
    return Publisher(dict, CollectorSettings(), spool=Spool(folder, 64 * MIB))


async def test_what_was_heard_and_what_waits_is_counted_and_no_symbol_is_a_label(
    tmp_path: Path, counts: Counts
) -> None:
    to = await _publisher(tmp_path)
    session = Recorder("bybit", "linear", "ws", to)
    session.event("connected")
    for number in range(10):
        session.frame(b"12345", Frame("allLiquidation", f"S{number}", LIQUIDATION), 1_790_000_000 * 10**9)
    session.frame(b"1", Frame("tickers", "S", TICKER), 1_790_000_001 * 10**9)
    session.event("paused")
    session.skip(TICKER)
    assert to.keeper is not None
    await to.keeper.spill_all()
    to.keeper.dropped[TICKER] += 4
    to.offset.saw(2_000_000_000, 0, 2_000_000_000, 0)
    figures = Figures(to, ["bybit"], counts, Clock())
    found = _values(figures)
    assert found["liq_collect_frames_total", "bybit", "allLiquidation"] == 10
    assert found["liq_collect_last_data_timestamp_seconds", "bybit", "tickers"] == 1_790_000_001
    assert found["liq_collect_sessions", "bybit", "ws"] == 1
    assert found["liq_collect_events_total", "bybit", "paused"] == 1
    assert found["liq_collect_bytes_total", LIQUIDATION] == 50
    assert found["liq_collect_waiting_frames", LIQUIDATION] == 0
    assert found["liq_collect_spool_frames", LIQUIDATION] == 10
    assert found["liq_collect_spool_bytes", LIQUIDATION] > 50
    assert found["liq_collect_dropped_frames_total", TICKER] == 5
    assert found["liq_collect_clock_offset_seconds",] == pytest.approx(2.0, abs=0.01)
    assert found["liq_collect_kafka_up",] == 0
    assert not [labels for labels in found if "S1" in labels]
    session.event("stopped")
    assert _values(figures)["liq_collect_sessions", "bybit", "ws"] == 0


async def test_health_is_about_data(tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    to = await _publisher(tmp_path)
    figures = Figures(to, ["bybit", "okx"], counts, clock)
    assert figures.wrong() == [], "it has just begun"
    clock.now += 50
    for venue in ("bybit", "okx"):
        Recorder(venue, "x", "ws", to).frame(b"1", Frame("c", "s", TICKER), int(clock.now * 1e9))
    clock.now += 59
    assert figures.wrong() == []
    Recorder("okx", "x", "ws", to).frame(b"1", Frame("c", "s", TICKER), int(clock.now * 1e9))
    clock.now += 2
    assert figures.wrong() == ["no data from bybit for 61 s"]
    to.acknowledged_at -= 100
    counts.given_up[TICKER], counts.given_up_at = 7, clock.now
    assert to.keeper is not None
    to.keeper.trouble = "No space left on device"
    to.offset.saw(-3_000_000_000, 0, -3_000_000_000, 0)
    _quiet, stuck, given_up, disk, time_ = figures.wrong()
    assert stuck.startswith("Kafka has taken nothing for 100 s: 0 frames wait on disk, 3 in memory")
    assert given_up.startswith("frames were given up: 7 of raw.ticker")
    assert disk == "the spool cannot be written: No space left on device"
    assert time_ == "the clock is -3.0 s off Kafka's"


async def test_a_collector_answers_at_its_port(tmp_path: Path, unused_tcp_port: int) -> None:
    to = await _publisher(tmp_path)
    figures = Figures(to, ["bybit"])
    with serving(unused_tcp_port, [Made(figures.metrics)], figures.wrong):
        assert "liq_collect_spool_limit_bytes 6.7108864e+07" in _get(unused_tcp_port, "/metrics")
        assert json.loads(_get(unused_tcp_port, "/health"))["state"] in ("good", "needs you")


def _get(port: int, path: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


async def test_alerts_ask_for_metrics_that_there_are(tmp_path: Path, counts: Counts) -> None:
    to = await _publisher(tmp_path)
    Recorder("bybit", "linear", "ws", to).frame(b"1", Frame("c", "s", TICKER), 1)
    to.offset.saw(0, 0, 0, 0)
    metrics: Any = list(Figures(to, ["bybit"], counts).metrics())
    there = {sample.name for metric in metrics for sample in metric.samples}
    there |= {f"{metric.name}_total" for metric in metrics if metric.type == "counter"}
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"\bliq_collect_\w+", rule["expr"])}
    assert len(asked) > 5
    assert asked <= there
