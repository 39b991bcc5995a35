"""The names of all metrics that our processes have, as they themselves tell them."""

from pathlib import Path
from typing import Any

from collectors.delivery.figures import Figures as OfCollect
from collectors.delivery.publisher import Publisher
from collectors.delivery.spool import Spool
from collectors.settings import CollectorSettings
from pipelines.flows import figures as of_flows
from pipelines.flows import notes
from pipelines.flows.checked import Checked
from pipelines.ingest.figures import Figures as OfIngest
from pipelines.serve import figures as of_serve
from pipelines.up import figures as of_up
from pipelines.up.board import Part

PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
"""Of the library, of each process."""


async def families(folder: Path) -> dict[str, str]:
    """Return the type of each family of metrics by its name."""
    notes.write(folder, "refresh", notes.Note())
    ingest = OfIngest(world=folder)
    ingest.committed({}, {})
    publisher = Publisher(dict, CollectorSettings(), spool=Spool(folder / "spool", 1024**2))
    publisher.offset.saw(0, 0, 0, 0)
    found: list[Any] = [
        *OfCollect(publisher, ["bybit"]).metrics(), *ingest.metrics(), *of_flows.metrics(folder),
        *Checked(["true"]).metrics(), *of_up.metrics(lambda: [Part("ingest", 1)]), *of_serve.REGISTRY.collect(),
    ]  # fmt: skip
    return {each.name: each.type for each in found if each.name.startswith("liq_")}


def series(name: str, kind: str) -> set[str]:
    """Return how the series of a family are called in PromQL."""
    if kind == "counter":
        return {f"{name}_total"}
    return {f"{name}_{part}" for part in ("bucket", "count", "sum")} if kind == "histogram" else {name}
