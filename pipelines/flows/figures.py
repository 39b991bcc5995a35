"""What became of each scheduled flow, as metrics; read from the notes, so that it outlives this process too."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipelines.flows import everywhere, notes
from pipelines.flows.schedule import EVERY, LATE_AFTER

GAUGES: dict[str, tuple[str, Callable[[notes.Note], float]]] = {
    "last_success_timestamp_seconds": ("When the flow last did its work", lambda note: note.succeeded_s),
    "last_failure_timestamp_seconds": ("When a run of it last failed", lambda note: note.failed_s),
    "last_seconds": ("How long its last run took", lambda note: max(0.0, note.ended_s - note.started_s)),
}


def metrics(world: Path) -> Iterable[Metric]:
    """Return the notes of every flow as Prometheus has them; a flow that never ran has none."""
    found = everywhere.found(world)
    for name, (help, value) in GAUGES.items():
        gauge = GaugeMetricFamily(f"liq_flow_{name}", help, labels=["flow"])
        for flow, note in found.items():
            gauge.add_metric([flow], value(note))
        yield gauge
    every = GaugeMetricFamily("liq_flow_interval_seconds", "How often the flow is to run", labels=["flow"])
    runs = CounterMetricFamily("liq_flow_runs", "Runs begun", labels=["flow"])
    failures = CounterMetricFamily("liq_flow_failures", "Runs failed", labels=["flow"])
    for flow, interval in EVERY.items():
        every.add_metric([flow], interval.total_seconds())
        runs.add_metric([flow], found[flow].runs if flow in found else 0)
        failures.add_metric([flow], found[flow].failures if flow in found else 0)
    yield from (every, runs, failures)


def wrong(world: Path) -> list[str]:
    """Return the flows that have not succeeded for too many of their intervals."""
    now, served, found = time.time(), everywhere.served_since(world), everywhere.found(world)
    late = []
    for name, interval in EVERY.items():
        note = found.get(name)
        last = (note.succeeded_s if note else 0.0) or served or now
        if now - last > LATE_AFTER * interval.total_seconds():
            late.append(f"flow {name} has not succeeded for {now - last:.0f} s")
    return late
