"""The whole pipeline as a person runs it: `liq demo`, with the ingest killed three times on the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.up.demo import SET_ASIDE


@pytest.mark.timeout(900)
def test_the_demo_loses_nothing_though_its_ingest_is_killed_three_times(tmp_path: Path) -> None:
    env = {**os.environ, "LIQ_DATA": str(tmp_path / "demo"), "NO_COLOR": "1"}
    own = dict.fromkeys(SET_ASIDE, "host=127.0.0.1 port=1")
    demo = _liq({**env, **own}, "demo", "--kill-ingest", "3", timeout=800)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.count("is set aside: the demo's market is invented") == len(own)
    assert demo.stdout.count("ingest ended (signal 9)") == 3
    assert "Zero missing" in demo.stdout

    asked = _liq(env, "sql", "from frames_by_venue", "--format", "jsonl")
    venues = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [venue["venue"] for venue in venues] == ["binance", "bybit", "okx"]
    for venue in venues:
        assert venue["frames"] == venue["frames_received"] > 100
        assert venue["liquidations"] > 50
        assert venue["missing"] == venue["duplicates"] == venue["frames_dead"] == 0

    totals = _liq(env, "sql", "from liquidation_totals where hours = 24 and base = 'BTC'", "--format", "jsonl")
    found = [json.loads(line) for line in totals.stdout.splitlines()]
    assert {total["venue"] for total in found} == {"binance", "bybit", "okx"}
    assert all(0 < total["coverage_share"] < 1 and total["lower_bound"] for total in found), (
        "a minute of a day was heard"
    )
    assert _liq(env, "broker", "status").returncode == 1, "the demo's broker is stopped"


def test_the_demo_does_not_empty_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    demo = _liq({**os.environ, "LIQ_DATA": str(tmp_path)}, "demo")
    assert demo.returncode == 1
    assert "is not empty" in demo.stderr
    assert precious.read_text() == "mine"


def _liq(env: dict[str, str], *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "liq", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)
