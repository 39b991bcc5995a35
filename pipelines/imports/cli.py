"""`liq import`: files of the past that the user has downloaded, into Kafka."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from collectors.errors import CollectorError, ConfigurationError
from collectors.kafka import KafkaSettings, connection
from pipelines.errors import NotADumpError
from pipelines.imports.brackets import answer_in
from pipelines.imports.dumps import TOPICS, Dump, dumps_in
from pipelines.imports.publish import Totals, publish

app = typer.Typer(help="Bring files of the past into Kafka; `liq ingest` commits them.", no_args_is_help=True)


@app.callback()
def imports() -> None:
    """Bring files of the past into Kafka; `liq ingest` commits them."""


@app.command("binance-dump")
def binance_dump(
    paths: Annotated[list[Path], typer.Argument(help="dump files (zip or csv), or folders with such files in them")],
) -> None:
    """Import files of data.binance.vision: metrics, fundingRate, liquidationSnapshot, of futures/um and futures/cm.

    Each becomes a raw frame, unchanged, and its rows have source import. A file imported twice gives no row twice. Where
    the published .CHECKSUM lies beside a file, it is compared. Exit code 1: a file is damaged (the others are imported).
    """
    try:
        dumps, others = dumps_in(paths)
        if not dumps:
            _fail(2, f"no dump of {', '.join(TOPICS)} among {others:,} files")
        totals = asyncio.run(_publish(dumps))
    except (NotADumpError, ConfigurationError) as error:
        _fail(2, str(error))
    except (CollectorError, KafkaError) as error:
        _fail(1, str(error) or type(error).__name__)
    for line in _told(totals, others):
        print(line)
    raise typer.Exit(1 if totals.damaged else 0)


@app.command("binance-brackets")
def binance_brackets(
    paths: Annotated[list[Path], typer.Argument(help="files, each one answer of leverageBracket, as Binance sent it")],
) -> None:
    """Import Binance's leverage brackets, which it gives only with a key: files of its answers become leverage_tiers.

    Ask with any client that signs, for all symbols: GET /fapi/v1/leverageBracket (USD-M), GET /dapi/v2/leverageBracket
    (COIN-M); keep the JSON. They hold from the import on, in place of the dated table that comes with the package (BTCUSDT,
    source static). What has not changed since the last import gives no row.
    """
    try:
        answers = [answer_in(path) for path in paths]
        totals = asyncio.run(publish("binance", answers, connection(KafkaSettings.load()), id))
    except (NotADumpError, ConfigurationError) as error:
        _fail(2, str(error))
    except (CollectorError, KafkaError) as error:
        _fail(1, str(error) or type(error).__name__)
    contracts = sum(answer.contracts for answer in answers)
    print(
        f"binance: brackets of {contracts:,} contracts are in Kafka, {totals.frames:,} frames; `liq ingest` commits them"
    )


async def _publish(dumps: Sequence[Dump]) -> Totals:
    with _progress(len(dumps)) as told:
        return await publish("binance", dumps, connection(KafkaSettings.load()), told)


def _told(totals: Totals, others: int) -> Iterator[str]:
    for reason in totals.damaged:
        print(f"liq import: not imported: {reason}", file=sys.stderr)
    aside = f"; {others:,} files of other kinds were left aside" if others else ""
    yield f"binance: {totals.files:,} files are in Kafka as {totals.frames:,} frames{aside}; `liq ingest` commits them"


@contextmanager
def _progress(files: int) -> Iterator[Callable[[Dump], object]]:
    """A bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("import", total=files)
        yield lambda dump: bars.update(task, advance=1, description=dump.path.name)


def _fail(code: int, reason: str) -> NoReturn:
    print(f"liq import: {reason}", file=sys.stderr)
    raise typer.Exit(code)
