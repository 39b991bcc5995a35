"""The short run: half a minute of random faults over a whole pipeline. `make chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import at_random, chaos
from tests.chaos.world import World

SEED = 11
FAULTS = 40
SECONDS = 40.0


@pytest.mark.timeout(1200)
async def test_some_random_faults_breaks_no_promise(tmp_path: Path) -> None:
    lines: list[str] = []
    found = await chaos(World(tmp_path / "world", SEED), at_random(SEED, FAULTS, SECONDS), lines.append)
    assert all(each.kept for each in found.promises), "\n".join(lines) + report(SEED, found, SECONDS)
