"""Adding a venue takes its two folders and its name in two lists: then everything shows it, its simulator too."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NOWHERE = "http://127.0.0.1:1"
LISTS = ("collectors/venues/known.py", "pipelines/venues/__init__.py")
CONTRACTS = '{"contracts":[{"symbol":"BTC-PERP"}]}'
SOLD = '{"channel":"liquidations","symbol":"BTC-PERP","side":"sell","price":"60000","size":"2","time":1795000000000}'
NONSENSE = (
    '{"channel":"liquidations","symbol":"BTC-PERP","side":"sold","price":"60000","size":"2","time":1795000000000}'
)


@pytest.fixture(scope="module")
def with_acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code in which Acme was added."""
    copy = tmp_path_factory.mktemp("copy")
    for room in ("collectors", "pipelines", "warehouse", "sql"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "liq.py", copy)
    for side in ("collectors", "pipelines"):
        shutil.copytree(HERE / side, copy / side / "venues" / "acme", ignore=shutil.ignore_patterns("__pycache__"))
    for file in LISTS:
        text = (copy / file).read_text()
        added, count = re.subn(r"(NAMES = \(\n)", r'\1    "acme",\n', text)
        assert count == 1, file
        (copy / file).write_text(added)
    return copy


def liq(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {"PYTHONPATH": str(copy), "COLUMNS": "160", "LIQ_DATA": str(copy / "data"), "LIQ_ACME_REST": NOWHERE}
    command = [sys.executable, "-m", "liq", *words]
    return subprocess.run(command, cwd=copy, env={**os.environ, **own}, capture_output=True, text=True, check=False)


def test_its_frames_become_rows_with_the_right_side_and_units(with_acme: Path) -> None:
    (with_acme / "contracts.json").write_text(CONTRACTS)
    (with_acme / "frames.jsonl").write_text(f"{SOLD}\n{NONSENSE}\n")
    told = liq(with_acme, "parse", "acme", "frames.jsonl", "--instruments", "contracts.json")
    (row,) = map(json.loads, told.stdout.splitlines())
    assert (row["venue"], row["position_side"], row["qty_base"], row["notional_usd"]) == (
        "acme",
        "long",
        2.0,
        120_000.0,
    )
    assert (row["base"], row["instrument"], row["completeness"]) == ("BTC", "BTC/USDT:USDT", "all")
    assert "frames.jsonl" in told.stderr
    assert "Traceback" not in told.stderr


def test_every_list_of_venues_shows_it(with_acme: Path) -> None:
    plan = liq(with_acme, "collect", "acme", "--plan", "--symbols", "10")
    assert "acme" in plan.stdout, plan.stderr
    assert "acme" in liq(with_acme, "collect", "akme").stderr
    assert "acme" in liq(with_acme, "position", "--help").stdout
    assert "acme" in liq(with_acme, "doctor").stdout


def test_its_simulator_shows_the_market_and_has_faults_of_its_own(with_acme: Path) -> None:
    command, own = [sys.executable, "-P", HERE / "heard.py"], {"PYTHONPATH": str(with_acme)}
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    contracts, acknowledged, liquidation, refused, truth = map(json.loads, done.stdout.splitlines())
    assert contracts == json.loads(CONTRACTS)
    assert acknowledged == {"ack": "7"}
    assert liquidation.keys() == json.loads(SOLD).keys()
    assert refused == 503
    assert truth["sent"] > 0
    assert truth["load_frames"] == 3
