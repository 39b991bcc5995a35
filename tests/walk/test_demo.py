"""The whole pipeline as a new user runs it: `liq demo`, with the ingest killed three times, then all that README.md prints."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines.up.demo import SET_ASIDE
from tests.walk.complaints import complaints
from tests.walk.printed import of_demo, of_readme
from tests.walk.trying import ROOT, Tried, answered, home, until
from tests.walk.ways import LIVE, WAYS, Way, way

pytestmark = pytest.mark.timeout(2400)

PRINTED = of_readme((ROOT / "README.md").read_text())
FRAME = (
    '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1795000000000,"data":[{"T":1795000000000,"s":"BTCUSDT",'
)
FRAME += '"S":"Buy","v":"0.003","p":"60000"}]}\n'


class Demo(NamedTuple):
    """The folder in which the demo ran, its environment, and what it said."""

    folder: Path
    env: dict[str, str]
    told: Tried


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("first-hour")
    env = home(folder)
    own = dict.fromkeys(SET_ASIDE, "host=127.0.0.1 port=1")
    return Demo(folder, env, answered("liq demo --kill-ingest 3", folder, {**env, **own}))


def test_the_demo_loses_nothing_though_its_ingest_is_killed_three_times(demo: Demo) -> None:
    told = demo.told
    assert told.code == 0, told.said + told.errors
    assert told.said.count("is ignored: the demo's market is invented") == len(SET_ASIDE)
    assert told.said.count("ingest ended (signal 9)") == 3
    assert "Zero missing" in told.said

    venues = _asked(demo, "from frames_by_venue")
    assert [venue["venue"] for venue in venues] == ["binance", "bybit", "okx"]
    for venue in venues:
        assert venue["frames"] == venue["frames_received"] > 100
        assert venue["liquidations"] > 50
        assert venue["missing"] == venue["duplicates"] == venue["frames_dead"] == 0

    found = _asked(demo, "from liquidation_totals where hours = 24 and base = 'BTC'")
    assert {total["venue"] for total in found} == {"binance", "bybit", "okx"}
    assert all(0 < total["coverage_share"] < 1 and total["lower_bound"] for total in found), (
        "a minute of a day was heard"
    )
    assert answered("liq broker status", demo.folder, demo.env | {"LIQ_DATA": "data/demo"}).code == 1, (
        "the demo's broker is stopped"
    )


def test_it_is_said_how_every_command_of_the_readme_is_tried() -> None:
    assert [command for command in PRINTED if way(command) is None] == []
    assert [command for command in WAYS if command not in PRINTED] == []
    assert set(LIVE) == {command for command, each in WAYS.items() if each.live}


def test_what_the_demo_says_to_try_next_answers(demo: Demo) -> None:
    found = of_demo(demo.told.said)
    assert len(found) >= 4
    faults = [
        fault
        for command in found
        for fault in _faults(_as_printed(command), command, demo.folder, demo.env, "data/live")
    ]
    assert not faults, "\n\n".join(faults)


def test_every_command_of_the_readme_answers_about_the_demo(demo: Demo) -> None:
    (demo.folder / "frames.jsonl").write_text(FRAME)
    faults: list[str] = []
    for command in PRINTED:
        each = way(command)
        if each and not (each.live or each.elsewhere):
            faults += _faults(each, command, demo.folder, demo.env, "data/live")
    assert not faults, "\n\n".join(faults)
    assert not (demo.folder / "data" / "live").exists()


@pytest.fixture
def venues(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, and an environment in which the venues are simulated ones."""
    env, told = home(tmp_path), tmp_path / "venues.env"
    with subprocess.Popen(["liq", "simulate", "--calm", "3600", "--write-env", str(told)], cwd=tmp_path, env=env,
                          stdout=subprocess.PIPE, text=True) as serving:  # fmt: skip
        try:
            assert serving.stdout is not None
            serving.stdout.readline()
            own = dict(line.split("=", 1) for line in told.read_text().splitlines())
            yield tmp_path, {**env, **own, "LIQ_GRID_S": "5"}
        finally:
            serving.terminate()


def test_every_command_that_brings_data_in_does_so(venues: tuple[Path, dict[str, str]]) -> None:
    folder, env = venues
    faults = [fault for command in LIVE for fault in _faults(WAYS[command], command, folder, env, "data/demo")]
    assert not faults, "\n\n".join(faults)


def test_the_demo_does_not_empty_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    demo = answered("liq demo", tmp_path, home(tmp_path) | {"LIQ_DATA": str(tmp_path)})
    assert demo.code == 1
    assert "is not empty" in demo.errors
    assert precious.read_text() == "mine"


def _faults(each: Way, command: str, folder: Path, env: dict[str, str], elsewhere: str) -> list[str]:
    """Try a command and return what is wrong with it, a line a fault, with the end of what it said."""
    found = []
    *before, last = [run.format(command) for run in each.runs] or [command]
    tried = [(each._replace(until=""), answered(run, folder, env)) for run in before]
    tried.append((each, until(last, folder, env, each.until) if each.until else answered(last, folder, env)))
    for own, one in tried:
        found += [
            f"{one.command}: {fault}: …{(one.said + one.errors)[-600:]}" for fault in complaints(own, one, elsewhere)
        ]
    return found


def _as_printed(command: str) -> Way:
    """Return how a command is tried that the demo prints: as it stands, and what does not end until Ctrl-C."""
    words = command.partition("liq ")[2].split()
    until = {"watch": "liquidat", "serve": "serving world="}
    return Way(until=until.get(words[0], ""))


def _asked(demo: Demo, query: str) -> list[dict[str, object]]:
    told = answered(f'liq sql "{query}" --format jsonl', demo.folder, demo.env)
    return [json.loads(line) for line in told.said.splitlines()]
