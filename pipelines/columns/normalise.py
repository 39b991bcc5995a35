"""A batch of raw frames to the rows of every table, and dead letters: no I/O, no clock.

frames ── parse_frames ──▶ facts ── normalise ──▶ a polars frame per table, columns and order as the warehouse's
"""

from typing import NamedTuple

import polars as pl

from pipelines.columns import market, reference
from pipelines.columns.aggregated import aggregated
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.liquidations import impossible, liquidations
from pipelines.columns.positions import account_positions
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame
from pipelines.columns.unfit import UNFIT, refuse, set_aside
from pipelines.facts import Liquidation, LiquidationReport, Rejected
from pipelines.reading.parse import DEAD, WITH_ROWS, WITHOUT_ROWS, Facts, Parsed, collector_paused, parse_frames

__all__ = ["DEAD", "WITHOUT_ROWS", "WITH_ROWS", "Normalised", "Parsed", "normalise", "parse_frames", "raw_frames"]

GRID_S = 60
FRAME_TEXTS = ("channel", "symbol", "transport", "feed", "source")


class Normalised(NamedTuple):
    """`tables`: the rows of every table of facts and of `dead_letters`, empty ones too. `instruments`: the book with
    what this batch said of contracts; take it once the rows are committed."""

    tables: dict[str, pl.DataFrame]
    instruments: Instruments


def normalise(parsed: Parsed, instruments: Instruments, grid_s: int = GRID_S) -> Normalised:
    """Return the batch's rows. Contracts named in the batch itself are known for all of it.

    `grid_s`: seconds of the grid on which funding, open interest and mark prices are kept, last value of a bucket; 0
    keeps every value. A bucket that two batches share has a row of each. A frame whose facts fit no table is rejected, and a
    liquidation whose amounts cannot be, in `parsed` too.
    """
    try:
        found = _normalised(parsed, instruments, grid_s)
    except UNFIT:
        if not set_aside(parsed, lambda part: _normalised(part, instruments, grid_s)):
            raise
        found = _normalised(parsed, instruments, grid_s)
    if why := impossible(found.tables["liquidations"]):
        refuse(parsed, Liquidation, why)
        return normalise(parsed, instruments, grid_s)
    return found


def _normalised(parsed: Parsed, instruments: Instruments, grid_s: int) -> Normalised:
    with collector_paused():
        book, listed = reference.instruments(parsed, instruments)
        book, tiers = reference.leverage_tiers(parsed, book)
        tables = {
            "liquidations": liquidations(parsed, book),
            "liquidation_reports": liquidations(parsed, book, LiquidationReport, "liquidation_reports"),
            "liquidations_aggregated": aggregated(parsed, book),
            "funding_rates": market.funding_rates(parsed, book, grid_s),
            "funding_settlements": market.funding_settlements(parsed, book),
            "open_interest": market.open_interest(parsed, book, grid_s),
            "mark_prices": market.mark_prices(parsed, book, grid_s),
            "klines": market.klines(parsed, book),
            "long_short_ratios": market.long_short_ratios(parsed, book),
            "account_positions": account_positions(parsed, book),
            "instruments": listed,
            "leverage_tiers": tiers,
            "dead_letters": _dead_letters(parsed),
        }
    return Normalised(tables, book)


def _dead_letters(parsed: Parsed) -> pl.DataFrame:
    if not (facts := parsed.rejected).rows:
        return empty("dead_letters")
    return as_table(_with_frames(facts, parsed), "dead_letters")


def raw_frames(parsed: Parsed) -> pl.DataFrame:
    """Return the rows of table `raw_frames`: every frame of the batch, byte for byte."""
    if not parsed.frames:
        return empty("raw_frames")
    whole = Facts([Rejected("")] * len(parsed.frames), list(range(len(parsed.frames))))
    return as_table(_with_frames(whole, parsed), "raw_frames")


def _with_frames(facts: Facts, parsed: Parsed) -> pl.DataFrame:
    """Return facts with what their frames are; of facts of one frame the first has its bytes, since a frame may be large."""
    frames = [parsed.frames[position] for position in facts.frames]
    first = {id(frame): n for n, frame in reversed(list(enumerate(frames)))}
    payloads = [frame.payload if first[id(frame)] == n else None for n, frame in enumerate(frames)]
    appended = pl.Series("ts_append", [frame.appended_ms for frame in frames], pl.Int64) * 1000
    texts = (pl.Series(name, [getattr(frame, name) for frame in frames], pl.String) for name in FRAME_TEXTS)
    return facts_frame(facts, parsed.frames).with_columns(
        *texts,
        pl.Series("recv_ns", [frame.recv_ns for frame in frames], pl.Int64),
        appended.set(appended == 0, None).cast(pl.Datetime("us")),
        pl.Series("payload", payloads, pl.Binary),
    )
