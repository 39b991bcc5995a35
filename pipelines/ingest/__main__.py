"""`python -m pipelines.ingest [--follow] [--of PID]`: `liq ingest` without Prefect, and without its memory.

The last line of standard output says as JSON what was committed: {"told": TEXT, "rows": {TABLE: N}}. Exit codes are those of
`liq`. With --of it is killed when that process, its parent, is gone, however that went.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys

import msgspec

from collectors.logs import log_to_stderr
from pipelines.failing import one_line_errors
from pipelines.ingest.work import work
from pipelines.processes import die_with_parent

UNUSED = "pyarrow"
"""DuckDB loads it, where it is installed, when it reads a frame; `warehouse.frames` does without, and it is 35 MB."""


def main() -> None:
    """Run to the end, or until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.ingest", description=__doc__)
    parser.add_argument("--follow", action="store_true", help="keep going until Ctrl-C or SIGTERM")
    parser.add_argument("--new-grid", action="store_true", help="keep rows on the grid of LIQ_GRID_S from now on")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.add_argument("--of", type=int, metavar="PID", help="end with this process")
    given = parser.parse_args()
    if given.of:
        die_with_parent(signal.SIGKILL)
        if os.getppid() != given.of:  # it was gone before
            sys.exit(1)
    sys.modules[UNUSED] = None  # type: ignore[assignment]  # its import fails, as where it is not installed
    log_to_stderr(logging.DEBUG if given.verbose else logging.INFO)
    told: list[str] = []
    with one_line_errors("liq ingest"):
        rows = asyncio.run(work(given.follow, told.append, given.new_grid))
        print(msgspec.json.encode({"told": told[-1], "rows": rows}).decode(), flush=True)


if __name__ == "__main__":
    main()
