"""`python -m tests.chaos.ingest [--follow]`: `liq ingest`, without the seconds that its command line takes to start."""

import asyncio
import logging
import sys

from collectors.terminal import log_to_stderr
from pipelines.ingest.work import work

if __name__ == "__main__":
    log_to_stderr(logging.INFO)
    asyncio.run(work("--follow" in sys.argv, logging.getLogger(__name__).info))
