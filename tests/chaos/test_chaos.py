"""The short run: a minute of random faults over a whole pipeline, where LIQ_CHAOS is set. `make chaos` is the long one."""

import os
from pathlib import Path

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import chaos
from tests.chaos.world import World

SEED = 11
FAULTS = 60
SECONDS = 60.0


@pytest.mark.skipif("LIQ_CHAOS" not in os.environ, reason="needs two quiet cores; LIQ_CHAOS=1 runs it")
@pytest.mark.timeout(1200)
async def test_a_minute_of_random_faults_breaks_no_promise(tmp_path: Path) -> None:
    lines: list[str] = []
    found = await chaos(World(tmp_path / "world", SEED), SEED, FAULTS, SECONDS, lines.append)
    assert all(each.kept for each in found.promises), "\n".join(lines) + report(SEED, found, SECONDS)
