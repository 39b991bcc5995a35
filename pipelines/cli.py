"""`liq ingest`: the flow as a command."""

import asyncio
import logging
import os
import sys
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from collectors.errors import CollectorError, ConfigurationError
from collectors.kafka import KafkaSettings, connection
from pipelines.settings import IngestSettings
from pipelines.up.parts import prefect_env
from warehouse.errors import WarehouseError

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="keep going until Ctrl-C or SIGTERM")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="log more")] = False,
) -> None:
    """Move what Kafka holds into the warehouse, exactly once, then stop; with --follow keep going.

    Runs the Prefect flow `ingest`, on the server that PREFECT_API_URL names or a temporary one. May be killed at any time:
    the next one goes on from the offsets that were committed together with the rows.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    try:
        connection(KafkaSettings.load())  # no Kafka: said at once, not after Prefect's server has started
        os.environ.update(prefect_env(IngestSettings().data))
        from pipelines.flows.ingest import ingest as flow  # Prefect reads the environment when it is imported

        asyncio.run(flow(follow=follow))
    except (ConfigurationError, ValidationError) as error:
        _fail(2, str(ConfigurationError.of(error) if isinstance(error, ValidationError) else error))
    except (CollectorError, WarehouseError, KafkaError, LookupError) as error:
        _fail(1, str(error))


def log_to_stderr(level: int) -> None:
    """Write our log lines to standard error, one line each; other libraries only where they warn."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for package in ("collectors", "pipelines", "warehouse"):
        logging.getLogger(package).setLevel(level)


def _fail(code: int, message: str) -> None:
    print(f"liq: {message}", file=sys.stderr)
    raise typer.Exit(code)
