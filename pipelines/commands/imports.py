"""`liq import`: files of the past that the user has downloaded, into Kafka; each venue has its own."""

from importlib import import_module

import typer

from pipelines.venues import VENUES

app = typer.Typer()


@app.callback()
def imports() -> None:
    """Bring files of the past into Kafka; `liq ingest` commits them."""


for _venue in VENUES.values():
    if _venue.imports:
        app.registered_commands += import_module(_venue.imports).app.registered_commands
