"""Facts about contracts to the tables `instruments` and `leverage_tiers`: only what is not as it was last known."""

from collections.abc import Iterator
from operator import itemgetter

import polars as pl

from pipelines.columns.contracts.delisting import Page, pages
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.contracts.tiers import MarginTable
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame, time
from pipelines.facts import FundingInterval, Instrument, LeverageTier, Row
from pipelines.reading.parse import Facts, Parsed

Said = tuple[int, Instrument | FundingInterval | Page]


def instruments(parsed: Parsed, book: Instruments) -> tuple[Instruments, pl.DataFrame]:
    """Return the book with what the batch says of contracts, and the rows of table `instruments`: what differs."""
    said = sorted(_said(parsed), key=lambda entry: parsed.frames[entry[0]].at_ns)
    if not said:
        return book, empty("instruments")
    told = ((frame.venue, fact, frame.at_ns // 1000) for n, fact in said if (frame := parsed.frames[n]))
    book, changed = book.changed(told)
    if not changed:
        return book, empty("instruments")
    facts = Facts([version.instrument for _, version in changed], [said[n][0] for n, _ in changed])
    since = pl.Series([version.valid_from for _, version in changed], dtype=pl.Int64).cast(pl.Datetime("us"))
    found = facts_frame(facts, parsed.frames).with_columns(
        listed_ts=time("listed_ms"),
        expiry_ts=time("expiry_ms"),
        valid_from=pl.when(pl.col("ts_recv").is_not_null()).then(since),
    )
    return book, as_table(found, "instruments")


def _said(parsed: Parsed) -> Iterator[Said]:
    """Yield the facts with the position of their frame, behind those of a list what it holds as a whole."""
    by_frame: dict[int, list[Instrument]] = {}
    for kind in (Instrument, FundingInterval):
        for position, row in _of(parsed, kind):
            if isinstance(row, Instrument):
                by_frame.setdefault(position, []).append(row)
            if isinstance(row, Instrument | FundingInterval):
                yield position, row
    for position, listed in by_frame.items():
        for page in pages(parsed.frames[position], listed):
            yield position, page


def leverage_tiers(parsed: Parsed, book: Instruments) -> tuple[Instruments, pl.DataFrame]:
    """Return the book with the batch's margin tables, and the rows of table `leverage_tiers`: tables that differ, whole."""
    steps: dict[tuple[int, str], list[LeverageTier]] = {}
    for position, row in _of(parsed, LeverageTier):
        if isinstance(row, LeverageTier):
            steps.setdefault((position, row.symbol), []).append(row)
    if not steps:
        return book, empty("leverage_tiers")
    found = sorted(steps.items(), key=lambda entry: parsed.frames[entry[0][0]].at_ns)
    tables = [
        MarginTable(frame.venue, symbol, frame.at_ns // 1000, tuple(sorted(own, key=lambda step: step.tier)))
        for (position, symbol), own in found
        if (frame := parsed.frames[position])
    ]
    tiers, changed = book.tiers.changed(tables)
    rows = [(step, found[n][0][0]) for n in changed for step in tables[n].steps]
    if not rows:
        return book.with_tiers(tiers), empty("leverage_tiers")
    facts = Facts(list(map(itemgetter(0), rows)), list(map(itemgetter(1), rows)))
    table = facts_frame(facts, parsed.frames).with_columns(valid_from=pl.col("ts_recv"))
    return book.with_tiers(tiers), as_table(table, "leverage_tiers")


def _of(parsed: Parsed, kind: type[Row]) -> Iterator[tuple[int, Row]]:
    if facts := parsed.facts.get(kind):
        yield from zip(facts.frames, facts.rows, strict=True)
