"""`liq import binance-dump` and `liq import binance-brackets`."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from collectors.kafka import KafkaSettings, connection
from collectors.terminal import bar
from pipelines.errors import UsageError
from pipelines.imports.publish import Totals, publish
from pipelines.venues.binance.imports.bracket_answers import answer_in
from pipelines.venues.binance.imports.dump_files import TOPICS, Dump, dumps_in

app = typer.Typer()


@app.command("binance-dump")
def binance_dump(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE", help="dumps (zip or csv), or folders with such files")],
) -> None:
    """Import files of data.binance.vision: metrics, fundingRate, liquidationSnapshot, of futures/um and futures/cm.

    Each becomes a raw frame, unchanged, and its rows have source import. A file imported twice gives no row twice. Where
    the published .CHECKSUM lies beside a file, it is compared. Exit code 1: a file is damaged (the others are imported).
    """
    dumps, others = dumps_in(paths)
    if not dumps:
        raise UsageError(f"no dump of {', '.join(TOPICS)} among {others:,} files")
    totals = asyncio.run(_publish(dumps))
    for line in _told(totals, others):
        print(line)
    raise typer.Exit(1 if totals.damaged else 0)


@app.command("binance-brackets")
def binance_brackets(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="answers of leverageBracket, as Binance sent them")
    ],
) -> None:
    """Import Binance's leverage brackets, which it gives only with a key: files of its answers become leverage_tiers.

    Ask with any client that signs, for all symbols: GET /fapi/v1/leverageBracket (USD-M), GET /dapi/v2/leverageBracket
    (COIN-M); keep the JSON. They hold from the import on, in place of the dated table that comes with the package (BTCUSDT,
    source static). What has not changed since the last import gives no row.
    """
    answers = [answer_in(path) for path in paths]
    totals = asyncio.run(publish("binance", answers, connection(KafkaSettings.load()), id))
    contracts = sum(answer.contracts for answer in answers)
    print(
        f"binance: brackets of {contracts:,} contracts are in Kafka, {totals.frames:,} frames; `liq ingest` commits them"
    )


async def _publish(dumps: Sequence[Dump]) -> Totals:
    with bar("import", len(dumps)) as move:
        kafka = connection(KafkaSettings.load())
        return await publish("binance", dumps, kafka, lambda dump: move(advance=1, description=dump.path.name))


def _told(totals: Totals, others: int) -> Iterator[str]:
    for reason in totals.damaged:
        print(f"liq import: not imported: {reason}", file=sys.stderr)
    aside = f"; {others:,} files of other kinds were left aside" if others else ""
    yield f"binance: {totals.files:,} files are in Kafka as {totals.frames:,} frames{aside}; `liq ingest` commits them"
