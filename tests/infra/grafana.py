"""Grafana's dashboards, from what they show: `python -m tests.infra.grafana` writes infra/grafana/dashboards."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "infra" / "grafana" / "dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "liq-prometheus"}
SERVE = {"type": "yesoreyeram-infinity-datasource", "uid": "liq-serve"}
WIDE = 24
_TYPES = {"time": "timestamp", "number": "number", "text": "string"}


class Lines(NamedTuple):
    """A panel of lines over time. `targets`: PromQL and the legend of each of its series; `unit`: Grafana's name of it."""

    title: str
    unit: str
    targets: tuple[tuple[str, str], ...]
    width: int = 8


class Rows(NamedTuple):
    """A panel of what `liq serve` answers. `columns`: name, and time, number or text; `kind`: Grafana's kind of panel."""

    title: str
    kind: str
    path: str
    columns: tuple[tuple[str, str], ...]
    unit: str = "currencyUSD"
    width: int = 12


OPERATIONS: dict[str, tuple[Lines, ...]] = {
    "What needs you": (
        Lines("Alerts that fire", "none", (('ALERTS{alertname=~"Liq.*", alertstate="firing"}', "{{alertname}} {{severity}}"),)),
        Lines("Checks of liq status: 1 unknown, 2 needs you", "none", (("liq_check_state > 0", "{{check}}"),)),
        Lines("Since the checks were made", "s", (("time() - liq_checks_timestamp_seconds", "age"),)),
        Lines("Parts that run", "none", (("liq_part_up", "{{part}}"),)),
        Lines("Parts started again, an hour", "short", (("increase(liq_part_restarts_total[1h])", "{{part}}"),)),
        Lines("Disk of the data", "percentunit", (("1 - liq_disk_free_bytes / liq_disk_size_bytes", "used"),)),
    ),
    "Collectors": (
        Lines("Frames a second", "short", (("sum by (venue) (rate(liq_collect_frames_total[1m]))", "{{venue}}"),)),
        Lines("Since the last frame", "s", (
            ("time() - max by (venue) (liq_collect_last_data_timestamp_seconds)", "{{venue}}"),)),
        Lines("Connections and pollers", "short", (("liq_collect_sessions", "{{venue}} {{transport}}"),)),
        Lines("Events an hour", "short", (
            ("sum by (venue, event) (increase(liq_collect_events_total[1h]))", "{{venue}} {{event}}"),)),
        Lines("Bytes a second", "Bps", (("rate(liq_collect_bytes_total[1m])", "{{topic}}"),)),
        Lines("Frames Kafka has, a second", "short", (("rate(liq_collect_acknowledged_frames_total[1m])", "{{topic}}"),)),
        Lines("Frames given up, or refused by Kafka, an hour", "short", (
            ("increase(liq_collect_dropped_frames_total[1h])", "given up {{topic}}"),
            ("increase(liq_collect_refused_frames_total[1h])", "refused"))),
        Lines("Kafka takes frames", "none", (("liq_collect_kafka_up", "{{instance}}"),)),
        Lines("Clock ahead of Kafka's", "s", (("liq_collect_clock_offset_seconds", "{{instance}}"),)),
        Lines("Frames in memory", "short", (("liq_collect_waiting_frames", "{{topic}}"),)),
        Lines("Memory of waiting frames", "bytes", (("liq_collect_waiting_bytes", "{{topic}}"),)),
        Lines("Spool", "bytes", (
            ("sum by (instance) (liq_collect_spool_bytes)", "taken"), ("liq_collect_spool_limit_bytes", "may be taken"))),
        Lines("Frames in the spool", "short", (("liq_collect_spool_frames", "{{topic}}"),)),
        Lines("Oldest file of the spool", "s", (("liq_collect_spool_age_seconds", "{{topic}}"),)),
    ),
    "Ingest": (
        Lines("Records that wait", "short", (("liq_ingest_lag_records", "{{topic}}"),)),
        Lines("How long the oldest has waited", "s", (("liq_ingest_lag_seconds", "{{topic}}"),)),
        Lines("Since the last commit", "s", (("time() - liq_ingest_last_commit_timestamp_seconds", "age"),)),
        Lines("Records a second", "short", (("rate(liq_ingest_records_total[1m])", "{{topic}}"),)),
        Lines("Rows a second", "short", (("rate(liq_ingest_rows_total[1m])", "{{table}}"),)),
        Lines("A commit takes", "s", (
            ("histogram_quantile(0.5, rate(liq_ingest_commit_seconds_bucket[5m]))", "median"),
            ("histogram_quantile(0.99, rate(liq_ingest_commit_seconds_bucket[5m]))", "99 of 100"))),
        Lines("Dead letters, failed commits, duplicates, an hour", "short", (
            ("increase(liq_ingest_dead_letters_total[1h])", "dead letters"),
            ("increase(liq_ingest_commit_failures_total[1h])", "failed commits"),
            ("increase(liq_ingest_duplicates_total[1h])", "duplicates"))),
        Lines("Commits a second, and those done again or thrown away", "short", (
            ("rate(liq_ingest_commit_attempts_total[5m])", "tried {{instance}}"),
            ("rate(liq_ingest_commit_conflicts_total[5m])", "done again {{instance}}"),
            ("rate(liq_ingest_batches_fenced_total[5m])", "thrown away {{instance}}"))),
        Lines("Part of the time spent waiting for the write lock", "percentunit", (
            ("rate(liq_ingest_commit_lock_wait_seconds_total[5m])", "{{instance}}"),)),
        Lines("Bytes of new files a second", "Bps", (("rate(liq_ingest_commit_bytes_total[5m])", "{{instance}}"),)),
        Lines("New files an hour", "short", (("increase(liq_ingest_commit_files_total[1h])", "{{instance}}"),)),
        Lines("Snapshots, and ingests that share the lake", "short", (
            ("max(liq_lake_snapshots)", "snapshots"), ("max(liq_ingest_workers)", "ingests"))),
    ),
    "Flows": (
        Lines("Since the last success, in intervals", "short", (
            ("(time() - liq_flow_last_success_timestamp_seconds) / liq_flow_interval_seconds", "{{flow}}"),)),
        Lines("Runs an hour", "short", (("increase(liq_flow_runs_total[1h])", "{{flow}}"),)),
        Lines("Failures an hour", "short", (("increase(liq_flow_failures_total[1h])", "{{flow}}"),)),
        Lines("A run takes", "s", (("liq_flow_last_seconds", "{{flow}}"),)),
        Lines("Small files of the partition that has the most", "short", (("max(liq_lake_partition_files)", "files"),)),
        Lines("Since the last failure", "s", (
            ("time() - (liq_flow_last_failure_timestamp_seconds > 0)", "{{flow}}"),)),
    ),
    "liq serve": (
        Lines("Requests a second", "reqps", (("sum by (path) (rate(liq_serve_requests_total[1m]))", "{{path}}"),)),
        Lines("Errors a second", "reqps", (
            ('sum by (status) (rate(liq_serve_requests_total{status=~"4..|5.."}[5m]))', "{{status}}"),)),
        Lines("99 of 100 requests take at most", "s", (
            ("histogram_quantile(0.99, sum by (path, le) (rate(liq_serve_request_duration_seconds_bucket[5m])))",
             "{{path}}"),)),
        Lines("Rows and bytes a second", "short", (
            ("sum(rate(liq_serve_rows_total[1m]))", "rows"), ("sum(rate(liq_serve_sent_bytes_total[1m]))", "bytes"))),
        Lines("Refused, an hour", "short", (("sum by (status) (increase(liq_serve_refusals_total[1h]))", "{{status}}"),)),
        Lines("Questions with a kept answer", "percentunit", (
            ('sum by (kind) (rate(liq_serve_kept_requests_total{answer="kept"}[5m])) '
             "/ sum by (kind) (rate(liq_serve_kept_requests_total[5m]))", "{{kind}}"),)),
        Lines("Kept answers, and those made an hour", "short", (
            ("liq_serve_kept_answers", "{{kind}}"), ("increase(liq_serve_kept_made_total[1h])", "made {{kind}}"))),
        Lines("Memory of kept answers", "bytes", (("liq_serve_kept_bytes", "{{kind}}"),)),
        Lines("Age of the oldest answer that is kept new", "s", (
            ("time() - liq_serve_kept_oldest_timestamp_seconds", "{{kind}}"),)),
        Lines("Statements of others killed, an hour", "short", (("increase(liq_serve_sandbox_kills_total[1h])", "killed"),)),
    ),
    "Processes": (
        Lines("Memory", "bytes", (("process_resident_memory_bytes", "{{process}} {{instance}}"),), 12),
        Lines("Processor", "percentunit", (("rate(process_cpu_seconds_total[1m])", "{{process}} {{instance}}"),), 12),
    ),
}  # fmt: skip
"""Panels by process."""
_TIME, _N, _T = "time", "number", "text"
MARKET: dict[str, tuple[Rows, ...]] = {
    "What was liquidated": (
        Rows("Totals; lower_bound: at least so much", "table", "/v1/liquidations/totals_overall?order=hours",
             (("hours", _N), ("usd", _N), ("long_usd", _N), ("short_usd", _N), ("count", _N), ("largest_usd", _N),
              ("lower_bound", _T), ("coverage_share", _N), ("venues", _T)), width=24),
        Rows("Longs by the minute", "timeseries", "/v1/liquidations/by_minute?position_side=long&base=${base}&limit=10000",
             (("minute", _TIME), ("venue", _T), ("usd", _N))),
        Rows("Shorts by the minute", "timeseries", "/v1/liquidations/by_minute?position_side=short&base=${base}&limit=10000",
             (("minute", _TIME), ("venue", _T), ("usd", _N))),
        Rows("By coin, 24 hours", "bargauge", "/v1/liquidations/totals_by_coin?hours=24&order=-usd&limit=15",
             (("base", _T), ("usd", _N))),
        Rows("By venue, 24 hours; do not compare venues whose completeness differs", "table",
             "/v1/liquidations/totals_by_venue?hours=24&order=-usd",
             (("venue", _T), ("usd", _N), ("long_usd", _N), ("short_usd", _N), ("completeness", _T), ("lower_bound", _T),
              ("coverage_share", _N))),
        Rows("The largest of 24 hours", "table", "/v1/liquidations/largest?order=rank&limit=20",
             (("ts_event", _TIME), ("venue", _T), ("base", _T), ("position_side", _T), ("usd", _N), ("price", _N))),
        Rows("Cascades of 7 days", "table", "/v1/cascades/recent?limit=50",
             (("ts_start", _TIME), ("base", _T), ("position_side", _T), ("usd", _N), ("move", _N), ("lower_bound", _T),
              ("coverage_share", _N))),
    ),
    "State": (
        Rows("Stress, 0 to 1", "bargauge", "/v1/market/stress?scope=coin&score=!null&order=-score&limit=15",
             (("base", _T), ("score", _N)), "percentunit"),
        Rows("Funding for 8 hours, weighted by open interest", "table", "/v1/funding/oi_weighted?order=-oi_usd&limit=30",
             (("base", _T), ("rate_8h", _N), ("oi_usd", _N), ("venues", _T))),
        Rows("Open interest", "bargauge", "/v1/open-interest/by_coin?order=-oi_usd&limit=15", (("base", _T), ("oi_usd", _N))),
        Rows("Clusters of estimated levels near the price of ${base}: estimates", "table",
             "/v1/liquidations/clusters?base=${base}&order=rank&limit=20",
             (("position_side", _T), ("price_low", _N), ("price_high", _N), ("usd_estimated", _N), ("distance", _N),
              ("freshness", _T), ("score_verdict", _T))),
        Rows("Liquidation feeds", "table", "/v1/quality/feed_states",
             (("venue", _T), ("channel", _T), ("state", _T), ("since", _TIME), ("reason", _T)), width=24),
    ),
}  # fmt: skip
"""Panels of the market, each one path of `liq serve`."""


def dashboards() -> dict[str, dict[str, Any]]:
    """Return each dashboard by the name of its file."""
    coin = {
        "name": "base",
        "label": "Coin",
        "type": "textbox",
        "query": "BTC",
        "current": {"text": "BTC", "value": "BTC"},
    }
    return {
        "operations.json": _dashboard("liq-operations", "Liquidations: operations", OPERATIONS, _lines, []),
        "market.json": _dashboard("liq-market", "Liquidations: market", MARKET, _rows, [coin]),
    }


def written(dashboard: dict[str, Any]) -> str:
    """Return a dashboard as its file has it."""
    return json.dumps(dashboard, indent=1) + "\n"


def _dashboard(uid: str, title: str, groups: Any, made: Any, variables: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "uid": uid, "title": title, "tags": ["liq"], "timezone": "utc", "schemaVersion": 39, "version": 1, "editable": True,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "templating": {"list": variables},
        "panels": list(_placed(groups, made)),
    }  # fmt: skip


def _placed(groups: dict[str, tuple[Any, ...]], made: Any) -> Iterable[dict[str, Any]]:
    """Yield the panels from left to right, a new line where one does not fit."""
    numbers, y = itertools.count(1), 0
    for title, panels in groups.items():
        yield {"id": next(numbers), "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": WIDE, "h": 1}}  # fmt: skip
        x, y = 0, y + 1
        for panel in panels:
            x, y = (0, y + HIGH) if x + panel.width > WIDE else (x, y)
            yield {"id": next(numbers), "gridPos": {"x": x, "y": y, "w": panel.width, "h": HIGH}, **made(panel)}
            x += panel.width
        y += HIGH


HIGH = 8


def _lines(panel: Lines) -> dict[str, Any]:
    targets = [{"refId": chr(65 + number), "datasource": PROMETHEUS, "expr": expr, "legendFormat": legend}
               for number, (expr, legend) in enumerate(panel.targets)]  # fmt: skip
    return {
        "type": "timeseries", "title": panel.title, "datasource": PROMETHEUS, "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }  # fmt: skip


def _rows(panel: Rows) -> dict[str, Any]:
    columns = [{"selector": name, "text": name, "type": _TYPES[kind]} for name, kind in panel.columns]
    target = {
        "refId": "A", "datasource": SERVE, "type": "json", "source": "url", "parser": "backend", "url": panel.path,
        "url_options": {"method": "GET", "data": ""}, "root_selector": "data", "columns": columns,
        "format": "timeseries" if panel.kind == "timeseries" else "table",
    }  # fmt: skip
    usd = {"matcher": {"id": "byRegexp", "options": ".*usd.*"}, "properties": [{"id": "unit", "value": "currencyUSD"}]}
    share = {"matcher": {"id": "byRegexp", "options": ".*(share|distance|move|rate_8h)"},
             "properties": [{"id": "unit", "value": "percentunit"}]}  # fmt: skip
    options: dict[str, Any] = {"reduceOptions": {"values": True, "calcs": []}} if panel.kind == "bargauge" else {}
    unit = {} if panel.kind == "table" else {"unit": panel.unit}
    return {
        "type": panel.kind, "title": panel.title, "datasource": SERVE, "targets": [target],
        "fieldConfig": {"defaults": unit, "overrides": [usd, share]}, "options": options,
    }  # fmt: skip


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, dashboard in dashboards().items():
        (FOLDER / name).write_text(written(dashboard))
