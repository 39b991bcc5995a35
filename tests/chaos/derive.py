"""`python -m tests.chaos.derive`: what the flow `refresh` does every minute, every few seconds and without Prefect."""

import logging
import time
from datetime import UTC, datetime, timedelta

from collectors.logs import log_to_stderr
from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from pipelines.derive.coverage.cover import cover
from pipelines.settings import IngestSettings
from warehouse import lake
from warehouse.errors import WarehouseError

EVERY_S = 5.0
log = logging.getLogger("tests.chaos.derive")


def derive() -> None:
    """Bring coverage, bars and cascades up to date. Raises WarehouseError."""
    settings = IngestSettings()
    with lake.open(settings.data, read_only=False) as warehouse:
        now = datetime.now(UTC).replace(tzinfo=None)
        cover(warehouse, now, settings.grid_s)
        rollup(warehouse)
        detect(warehouse, now - timedelta(hours=2), now, now)


if __name__ == "__main__":
    log_to_stderr(logging.INFO)
    while True:
        try:
            derive()
        except WarehouseError as error:  # as a flow run that fails: the next one does it
            log.warning("failed: %s", error)
        time.sleep(EVERY_S)
