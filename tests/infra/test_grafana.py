"""What Grafana and Prometheus are given: it is whole, and asks for nothing that there is not."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.infra import grafana, metrics

INFRA = Path(__file__).parents[2] / "infra"
PROVISIONING = INFRA / "grafana" / "provisioning"
DASHBOARDS = grafana.dashboards()
_NAMES = re.compile(r"\b(?:liq|process)_\w+")


def _panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_files_are_those_that_are_made(name: str) -> None:
    assert (grafana.FOLDER / name).read_text() == grafana.written(DASHBOARDS[name]), "python -m tests.infra.grafana"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_has_what_grafana_needs(name: str) -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "liq.yaml").read_text())["datasources"]
    known = {(each["type"], each["uid"]) for each in sources}
    board = json.loads((grafana.FOLDER / name).read_text())
    assert re.fullmatch(r"[a-z-]{1,40}", board["uid"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 10
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < grafana.WIDE
        taken |= cells
        for target in panel.get("targets", []):
            assert (target["datasource"]["type"], target["datasource"]["uid"]) in known
            assert target["refId"]
    assert yaml.safe_load((PROVISIONING / "dashboards" / "liq.yaml").read_text())["providers"][0]["type"] == "file"


async def test_the_dashboard_shows_every_metric_and_asks_for_no_other(tmp_path: Path) -> None:
    asked = {
        name
        for panel in _panels("operations.json")
        for target in panel["targets"]
        for name in _NAMES.findall(target["expr"])
    }
    families = await metrics.families(tmp_path)
    assert len(families) > 35
    there = {name: metrics.series(name, kind) for name, kind in families.items()}
    assert asked <= set().union(metrics.PROCESS, *there.values())
    assert [name for name, series in there.items() if not series & asked] == []


async def test_every_process_has_alerts_and_they_ask_for_what_there_is(tmp_path: Path) -> None:
    rules = [rule for group in yaml.safe_load((INFRA / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in _NAMES.findall(rule["expr"])}
    series = set().union(
        metrics.PROCESS, *(metrics.series(*each) for each in (await metrics.families(tmp_path)).items())
    )
    assert asked <= series
    for process in ("collect", "ingest", "flow", "serve", "part", "check"):
        assert any(name.startswith(f"liq_{process}") for name in asked), process


@pytest.mark.parametrize("panel", _panels("market.json"), ids=lambda panel: panel["title"])
def test_each_panel_of_the_market_is_answered_with_its_columns(ask: httpx.Client, panel: dict[str, Any]) -> None:
    (target,) = panel["targets"]
    answer = ask.get(target["url"].replace("${base}", "BTC"))
    assert answer.status_code == 200, answer.text
    resources = {each["path"]: each for each in ask.get("/v1/catalogue").json()["resources"]}
    columns = resources[target["url"].partition("?")[0]]["columns"]
    for column in target["columns"]:
        kind = columns[column["selector"]]
        is_time, is_text = kind.startswith(("TIMESTAMP", "DATE")), kind in ("VARCHAR", "BOOLEAN")
        assert column["type"] == ("timestamp" if is_time else "string" if is_text else "number"), column


def test_prometheus_takes_the_rules_the_configuration_and_every_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    queries = sorted({target["expr"] for panel in _panels("operations.json") for target in panel["targets"]})
    recorded = [{"record": f"liq:query_{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "liq", "rules": recorded}]}))
    for arguments in (
        ["rules", "alerts.yaml", str(tmp_path / "queries.yaml")], ["config", "prometheus.yml"],
    ):  # fmt: skip
        done = subprocess.run([promtool, "check", *arguments], cwd=INFRA, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
