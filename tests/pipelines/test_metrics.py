"""`/metrics` and `/health` of ingest, the flows and `liq up`."""

import json
import re
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from collectors.envelope import RawFrame
from collectors.metrics import Figures, serving
from collectors.ports import free_port
from pipelines.flows import figures as of_flows
from pipelines.flows import notes
from pipelines.flows.checked import Checked
from pipelines.flows.schedule import EVERY
from pipelines.ingest.commits import Span
from pipelines.ingest.consume import Slice
from pipelines.ingest.figures import Figures as OfIngest
from pipelines.serve import figures as serve_figures
from pipelines.up import figures as of_up
from pipelines.up.board import Part
from warehouse.writer import Appended

LIQUIDATIONS, TICKERS = ("raw.liquidation", 0), ("raw.ticker", 1)
OF_COLLECTORS = "liq_collect_"
"""Those are looked at in tests/collectors/test_delivery_figures.py."""
ALERTS = Path(__file__).parents[2] / "infra" / "alerts.yaml"


def _get(port: int, path: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _slice(partition: tuple[str, int], start: int, next: int, recv_s: float) -> Slice:
    frame = RawFrame(
        "okx", "c", "s", "ws", int(recv_s * 1e9), "okx-a-1-1", "a", "live", 1, b"{}", partition[0], partition[1], start
    )
    return Slice(partition, start, next, [frame], [])


def test_a_process_answers_with_its_metrics_and_whether_it_is_well() -> None:
    port, wrong = free_port(), ["nobody commits"]
    parts = [Part("ingest", 7, restarts=2), Part("flows", None)]
    with serving(port, [Figures(lambda: of_up.metrics(lambda: parts))], lambda: wrong):
        status, text = _get(port, "/metrics")
        told = _values(text)
        assert status == 200
        assert told["liq_part_restarts_total", "ingest"] == 2
        assert (told["liq_part_up", "ingest"], told["liq_part_up", "flows"]) == (1, 0)
        assert told["process_resident_memory_bytes",] > 1e6
        status, text = _get(port, "/health")
        assert (status, json.loads(text)) == (503, {"state": "needs you", "wrong": ["nobody commits"]})
        wrong.clear()
        assert _get(port, "/health")[0] == 200
        assert _get(port, "/")[0] == 404
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "it ends with the block"


def test_a_port_that_is_taken_is_told_and_the_work_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, serving(taken.getsockname()[1], [], list):
        pass
    with serving(None, [], list):
        pass


def test_the_lag_is_what_waits_in_kafka_and_how_long_the_oldest_of_it_has() -> None:
    now = [1000.0]
    ingest = OfIngest(60, lambda: now[0])
    ingest.begun({LIQUIDATIONS: 10, TICKERS: 0}, lambda: {LIQUIDATIONS: 30, TICKERS: 5})
    assert ingest.lags() == {"raw.liquidation": (20, 0.0), "raw.ticker": (5, 0.0)}
    ingest.read(
        [_slice(LIQUIDATIONS, 10, 20, 900.0), _slice(LIQUIDATIONS, 20, 30, 940.0), _slice(TICKERS, 0, 5, 990.0)]
    )
    assert ingest.lags() == {"raw.liquidation": (20, 100.0), "raw.ticker": (5, 10.0)}
    stored = {"liquidations": Appended(7, 3), "dead_letters": Appended(1, 0)}
    ingest.committed({LIQUIDATIONS: Span(10, 20, 10, None)}, stored)
    assert ingest.lags()["raw.liquidation"] == (10, 60.0)
    ingest.committed({LIQUIDATIONS: Span(20, 30, 10, None)}, {})
    assert ingest.lags()["raw.liquidation"] == (0, 0.0)
    assert ingest.wrong() == []
    now[0] = 1349.0
    assert ingest.wrong() == [], "the last value of a grid's time is kept"
    now[0] = 1351.0
    assert ingest.wrong() == ["5 records of raw.ticker wait, the oldest for 361 s"]
    told = {(s.name, *s.labels.values()): s.value for family in ingest.metrics() for s in family.samples}
    assert told["liq_ingest_records_total", "raw.liquidation"] == 20
    assert told["liq_ingest_rows_total", "liquidations"] == 7
    assert (told["liq_ingest_duplicates_total",], told["liq_ingest_dead_letters_total",]) == (3, 1)
    assert told["liq_ingest_last_commit_timestamp_seconds",] == 1000.0
    assert told["liq_ingest_lag_seconds", "raw.ticker"] == 361.0


def test_every_check_of_status_is_a_metric_made_beside_the_answer() -> None:
    subjects = {"Kafka": ("good", None), "gap okx": ("needs you", None), "files": ("good", 7)}
    checks = [{"subject": name, "state": state, "number": number} for name, (state, number) in subjects.items()]
    told = json.dumps({"fine": False, "checks": checks})
    now = [100.0]
    checked = Checked([sys.executable, "-c", f"print({told!r}); raise SystemExit(1)"], lambda: now[0])
    checked.ask()
    found = {(s.name, *s.labels.values()): s.value for family in checked.metrics() for s in family.samples}
    assert found == {
        ("liq_check_state", "Kafka"): 0, ("liq_check_state", "gap okx"): 2, ("liq_check_state", "files"): 0,
        ("liq_lake_partition_files",): 7, ("liq_checks_timestamp_seconds",): 100.0,
    }  # fmt: skip
    broken = Checked([sys.executable, "-c", "print('no JSON')"], lambda: now[0])
    broken.ask()
    found = {(s.name, *s.labels.values()): s.value for family in broken.metrics() for s in family.samples}
    assert found == {("liq_checks_timestamp_seconds",): 0.0}


def test_alerts_ask_for_metrics_that_there_are(tmp_path: Path) -> None:
    notes.write(tmp_path, "refresh", notes.Note())
    ingest = OfIngest(world=tmp_path)
    ingest.committed({}, {})
    families = [
        *ingest.metrics(),
        *of_flows.metrics(tmp_path),
        *of_up.metrics(lambda: [Part("ingest", 1)]),
        *Checked(["true"]).metrics(),
    ]
    there = {sample.name for family in families for sample in family.samples} | {family.name for family in families}
    of_serve = {family.name: family.type for family in serve_figures.REGISTRY.collect()}
    there |= {f"{name}{'_total' if kind == 'counter' else '_bucket'}" for name, kind in of_serve.items()}
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"\bliq_\w+", rule["expr"])}
    assert {name for name in asked if not name.startswith(OF_COLLECTORS)} <= there
    assert all(
        rule["annotations"]["summary"] and rule["labels"]["severity"] in ("warning", "critical") for rule in rules
    )


def test_what_became_of_each_flow_is_read_from_its_note(tmp_path: Path) -> None:
    notes.serving(tmp_path, 1.0)
    notes.write(tmp_path, "refresh", notes.Note().began(10.0).succeeded(12.5).began(20.0).failed(21.0, "why"))
    told = {(s.name, *s.labels.values()): s.value for family in of_flows.metrics(tmp_path) for s in family.samples}
    assert told["liq_flow_last_success_timestamp_seconds", "refresh"] == 12.5
    assert (told["liq_flow_runs_total", "refresh"], told["liq_flow_failures_total", "refresh"]) == (2, 1)
    assert told["liq_flow_interval_seconds", "audit"] == 3600
    assert len(of_flows.wrong(tmp_path)) == len(EVERY)
