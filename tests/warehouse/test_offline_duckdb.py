"""A DuckDB without internet reads a world with the extensions that were installed, as the READMEs say."""

import re
import subprocess
import sysconfig
from pathlib import Path

import duckdb
import pytest

from warehouse.lake import Lake

pytestmark = pytest.mark.local("how a SQLite catalogue is attached")

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("readme", ["README.md", "warehouse/README.md"])
def test_the_load_of_the_readme_is_all_that_is_needed(writer: Lake, world: Path, readme: str) -> None:
    found = re.search(r'duckdb -cmd "\$\((printf .*)\)"', (ROOT / readme).read_text())
    assert found
    command = found[1].replace(".venv/lib/python3*/site-packages", sysconfig.get_path("purelib"))
    loads = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert loads.count("LOAD") == 2
    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as plain:
        plain.execute(loads)
        plain.execute(f"ATTACH 'ducklake:sqlite:{world}/lake/catalog.sqlite' AS liq (READ_ONLY)")
        plain.execute("USE liq")
        assert plain.execute("SELECT count(*) FROM liquidation_totals").fetchone() is not None
