"""infra/CONTRIBUTING.md, done as it says: its files written, its changes made, its commands run, in a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse import schema

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "infra" / "CONTRIBUTING.md").read_text()
STEP = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^    (?P<command>\S[^\n]*)$", re.M | re.S
)
COPIED = ("collectors", "pipelines", "warehouse", "sql", "tests")
SECTIONS = [part.partition("\n") for part in PAGE.split("\n## ")[1:]]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with an empty warehouse."""
    folder = tmp_path_factory.mktemp("copy")
    for room in COPIED:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("liq.py", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    schema.create_or_migrate(folder / "data" / "live")
    return folder


def changed(text: str, diff: str) -> str:
    """Return `text` with the lines that a diff adds behind those that it shows; line numbers do not matter."""
    lines = [line for line in diff.splitlines() if not line.startswith(("--- ", "+++ ", "@@"))]
    before = "".join(f"{line[1:]}\n" for line in lines if line.startswith(" "))
    after = "".join(f"{line[1:]}\n" for line in lines)
    assert text.count(before) == 1, f"CONTRIBUTING.md shows lines that are not there, or twice:\n{before}"
    return text.replace(before, after)


def done(copy: Path, step: re.Match[str]) -> subprocess.CompletedProcess[str] | None:
    if step["command"]:
        return run(copy, step["command"])
    if step["kind"] == "diff":
        path = copy / step["text"].splitlines()[1].removeprefix("+++ b/")
        path.write_text(changed(path.read_text(), step["text"]))
        return None
    (copy / step["file"]).parent.mkdir(parents=True, exist_ok=True)
    (copy / step["file"]).write_text(step["text"])
    return None


def run(copy: Path, command: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    named = {"liq": [sys.executable, "-m", "liq"], "python": [sys.executable]}
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIQ_")}
    env |= {"PYTHONPATH": str(copy), "PREFECT_HOME": str(copy / "prefect"), "COLUMNS": "160"}
    words = [*named.get(words[0], words[:1]), *words[1:]]
    return subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True, check=False)


def steps(section: str) -> Iterator[re.Match[str]]:
    return STEP.finditer(section)


@pytest.mark.parametrize(
    ("title", "section"), [(title, text) for title, _, text in SECTIONS], ids=[s[0] for s in SECTIONS]
)
def test_each_recipe_of_the_page_works_as_it_is_written(copy: Path, title: str, section: str) -> None:
    commands = 0
    for step in steps(section):
        if found := done(copy, step):
            told = f"{step['command']}\n{found.stdout}\n{found.stderr}"
            assert found.returncode == 0, told
            assert "Traceback" not in told, told
            commands += 1
    assert commands >= 1, title


def test_what_was_added_is_shown_by_the_product(copy: Path) -> None:
    assert "largest_today" in (copy / "sql" / "README.md").read_text()
    assert "What was said" in run(copy, "liq schema notes").stdout
    assert "acme" in run(copy, "liq collect acme --plan --symbols 10").stdout
    assert "no flow" in run(copy, "liq flows run nonsense").stderr
    assert "count_liquidations" in run(copy, "liq flows run nonsense").stderr
