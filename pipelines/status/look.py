"""Every check, in order."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from aiokafka.errors import KafkaError

from collectors.errors import described
from collectors.kafka import KafkaSettings
from pipelines.row_settings import grid_s
from pipelines.status import feeds, files, ingest, losses, machine, parts, sessions
from pipelines.status.check import Check, bad, unknown
from pipelines.status.kafka import Away, Kafka, kafka
from pipelines.status.seen import Seen
from warehouse import lake, writer
from warehouse.errors import NoWarehouseError, WarehouseError
from warehouse.lake import Lake

WITHIN_S = 20.0
"""A file system or a PostgreSQL that does not answer ends the look after so long."""

CHECKS: tuple[tuple[str, Callable[[Seen], Iterable[Check]]], ...] = (
    ("Kafka", ingest.kafka),
    ("Prefect", parts.prefect),
    ("liq up", parts.ups),
    ("ingests", ingest.workers),
    ("last commit", ingest.commits),
    ("lag", ingest.lag),
    ("collectors", sessions.collectors),
    ("data", feeds.ages),
    ("liquidation feeds", feeds.silent),
    ("gaps", feeds.gaps),
    ("frames", losses.missing),
    ("losses", losses.told),
    ("dead letters", ingest.dead_letters),
    ("clocks", machine.clocks),
    ("venues' clocks", machine.venue_clocks),
    ("disk", machine.disks),
    ("spool", machine.spool),
    ("flows", parts.flows),
    ("files", files.files),
    ("audit", losses.audit),
)

STORED = ("losses", "dead letters", "disk", "spool", "audit")
"""The checks that mean something where nothing is to run: of what is stored."""


def look(world: Path, names: Collection[str] = ()) -> list[Check]:
    """Make every check, or those named; reads only, and returns within seconds whatever does not answer."""
    found: list[Check] = []
    # a thread that hangs does not keep the process from ending
    looking = threading.Thread(target=lambda: found.extend(_look(world, names)), daemon=True)
    looking.start()
    looking.join(WITHIN_S)
    if looking.is_alive():
        return [unknown("warehouse", f"{world} does not answer within {WITHIN_S:.0f} s")]
    return found


def _look(world: Path, names: Collection[str]) -> list[Check]:
    try:
        with lake.open(world) as warehouse:
            return _of(world, warehouse, names)
    except NoWarehouseError as error:
        return [bad("warehouse", str(error).split(":")[0], "`liq ingest` creates it, `liq up` and `liq demo` too")]
    except WarehouseError as error:
        return [bad("warehouse", str(error), "`liq doctor` checks more")]


def _of(world: Path, warehouse: Lake, names: Collection[str]) -> list[Check]:
    rest = parts.at_rest(world)
    around, prefect = (Away(rest.said), None) if rest else asyncio.run(_around(world, warehouse))
    now = datetime.now(UTC).replace(tzinfo=None)
    seen = Seen(world, now, warehouse, around, grid_s(warehouse), prefect)
    wanted = [(name, each) for name, each in CHECKS if (not names or name in names) and (not rest or name in STORED)]
    return [*([rest] if rest else []), *(check for name, each in wanted for check in made(name, each, seen))]


def made(name: str, check: Callable[[Seen], Iterable[Check]], seen: Seen) -> list[Check]:
    """Return what a check finds; one that fails is unknown, and the others are made all the same."""
    try:
        return list(check(seen))
    except Exception as error:  # noqa: BLE001 - a check must not take the others with it
        return [unknown(name, f"could not be checked: {described(error)}", "`liq doctor` checks more")]


async def _around(world: Path, warehouse: Lake) -> tuple[Kafka | Away, str | None]:
    """Ask Kafka and Prefect at the same time."""
    settings = KafkaSettings.load().model_copy(update={"data": world})

    async def log() -> Kafka | Away:
        try:
            return await kafka(settings, lambda cluster: writer.offsets(warehouse, cluster))
        except (KafkaError, AssertionError) as error:  # aiokafka asserts where a broker goes while it is asked
            return Away(f"Kafka: {described(error)}")

    asked = asyncio.to_thread(lambda: parts.ask_prefect(parts.prefect_url(world)))
    return await asyncio.gather(log(), asked)
