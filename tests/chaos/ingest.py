"""`python -m tests.chaos.ingest [--follow]`: ingest as the flow runs it, without Prefect, which takes seconds to start."""

import asyncio
import logging
import signal
import sys

from collectors.kafka import KafkaSettings, connection
from collectors.terminal import log_to_stderr
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings


async def _main(follow: bool) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await Ingest(IngestSettings()).run(connection(KafkaSettings.load()), follow, stop)


if __name__ == "__main__":
    log_to_stderr(logging.INFO)
    asyncio.run(_main("--follow" in sys.argv))
