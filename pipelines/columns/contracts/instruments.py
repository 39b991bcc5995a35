"""What is known of each contract, as of when: from a venue's own list, contracts of one family, or the symbol's form."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import polars as pl

from pipelines.columns.contracts import tiers
from pipelines.columns.contracts.delisting import DELISTED, Page, Reading
from pipelines.columns.contracts.tiers import Tiers
from pipelines.facts import FundingInterval, Instrument
from pipelines.venues import VENUES
from pipelines.venues.symbols import one_coin

ONE_READING_US = 3_600_000_000
"""The list of contracts and that of exceptions are asked for apart: what the second says so soon after a contract's first
description holds since that one, and so also for the history before it."""

ALWAYS = -(2**62)
Key = tuple[str, str]


class Resolved(NamedTuple):
    """What a symbol is. `metadata`: venue (listed), family (size of contracts of its family), symbol (its form alone)
    or None (nothing is known but a multiplier prefix). `contract_size` is in rows.Instrument's units; None: not known.
    `listed_us`: when it was first seen in the venue's list (UTC microseconds); what is here of before is that description's.
    """

    instrument: str | None = None
    base: str | None = None
    quote: str | None = None
    settle: str | None = None
    contract: str | None = None
    kind: str | None = None
    contract_size: float | None = None
    multiplier: int = 1
    metadata: str | None = None
    interval_hours: float | None = None
    listed_us: int | None = None


class Version(NamedTuple):
    """A contract's facts from `valid_from` (UTC microseconds) on."""

    valid_from: int
    instrument: Instrument


class Instruments:
    """The book of contracts. It never changes: `learn` returns a new one, so that a failed write loses nothing.

    `tiers`: their margin tables.
    """

    def __init__(self) -> None:
        self.tiers = Tiers()
        self._readings: dict[tuple[str, str], Reading] = {}
        self._versions: dict[Key, tuple[Version, ...]] = {}
        self._sizes: dict[tuple[str, str, str], frozenset[float]] = {}
        self._intervals: dict[Key, float] = {}
        self._exceptions_listed: frozenset[str] = frozenset()
        self._resolved: dict[Key, list[tuple[int, Resolved]]] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def learn(self, venue: str, facts: Iterable[tuple[Instrument | FundingInterval, int]]) -> "Instruments":
        """Return the book with what a venue said and when (UTC microseconds); see `changed` for what differed."""
        return self.changed((venue, fact, at) for fact, at in facts)[0]

    def changed(
        self, facts: Iterable[tuple[str, Instrument | FundingInterval | Page, int]]
    ) -> tuple["Instruments", list[tuple[int, Version]]]:
        """Return the book with these (venue, fact, UTC microseconds), and the rows to append: position and version.

        A contract that is as it was last known gives no row. An interval fills the contract's, or waits for it. A page of
        the venue's list, behind its contracts, gives a row for each contract that is delisted by it.
        """
        book, rows = self._copy(), []
        for position, (venue, fact, at) in enumerate(facts):
            if isinstance(fact, Page):
                rows += [(position, version) for version in book._turn(venue, fact, at)]
            elif (version := book._take(venue, fact, at)) is not None:
                rows.append((position, version))
        return book, rows

    def with_tiers(self, tiers: Tiers) -> "Instruments":
        """Return the book with other margin tables."""
        book = self._copy()
        book.tiers = tiers
        return book

    def resolves_as(self, other: "Instruments") -> bool:
        """Tell whether every symbol is the same in both books."""
        return (
            self._versions == other._versions
            and self._intervals == other._intervals
            and self._exceptions_listed == other._exceptions_listed
            and self._sizes == other._sizes
        )

    def _copy(self) -> "Instruments":
        book = Instruments()
        book._versions, book._sizes = dict(self._versions), dict(self._sizes)
        book._intervals, book._exceptions_listed = dict(self._intervals), self._exceptions_listed
        book._readings, book.tiers = dict(self._readings), self.tiers
        return book

    def _turn(self, venue: str, page: Page, at: int) -> list[Version]:
        """Take a page of a venue's list in; return the contracts that count as delisted by it."""
        group_of = VENUES[venue].group_of
        listed = [
            symbol
            for (where, symbol), versions in self._versions.items()
            if where == venue and versions[-1].instrument.status != DELISTED
            if group_of(versions[-1].instrument) == page.group
        ]
        reading, gone = self._readings.get((venue, page.group), Reading()).after(page, at, listed)
        self._readings[venue, page.group] = reading
        return [self._delist((venue, symbol), since) for symbol, since in gone.items()]

    def _delist(self, key: Key, since: int) -> Version:
        versions = self._versions[key]
        last = versions[-1]
        version = Version(max(since, last.valid_from + 1), msgspec.structs.replace(last.instrument, status=DELISTED))
        self._versions[key] = (*versions, version)
        return version

    def _take(self, venue: str, fact: Instrument | FundingInterval, at: int) -> Version | None:
        key = (venue, fact.symbol)
        versions = self._versions.get(key, ())
        if fact.interval_hours is not None:
            self._intervals[key] = float(fact.interval_hours)  # what is no number stops here, not in other frames' rows
            self._exceptions_listed |= {venue}
        if isinstance(fact, FundingInterval):
            if not versions:
                return None
            at = max(at, versions[-1].valid_from + 1)  # the short list may have been answered first
            fact = msgspec.structs.replace(versions[-1].instrument, interval_hours=fact.interval_hours)
        elif fact.interval_hours is None and key in self._intervals:
            fact = msgspec.structs.replace(fact, interval_hours=self._intervals[key])
        if versions and fact == _as_of(versions, at).instrument:
            return None
        version = Version(at, fact)
        self._versions[key] = tuple(sorted((*versions, version), key=lambda known: known.valid_from))
        family = (venue, fact.family, fact.contract)
        self._sizes[family] = self._sizes.get(family, frozenset()) | {fact.contract_size}
        return version

    def known(self, venue: str, symbol: str) -> Instrument | None:
        """Return a listed contract as last known."""
        versions = self._versions.get((venue, symbol))
        return versions[-1].instrument if versions else None

    def resolve(self, venue: str, symbol: str, at_us: int = 2**62) -> Resolved:
        """Return what a symbol was at a time (UTC microseconds); before the first version, what that one says."""
        found = self._timeline(venue, symbol)
        return next((facts for since, facts in reversed(found) if since <= at_us), found[0][1])

    def dimension(self, symbols: Sequence[Key]) -> pl.DataFrame:
        """Return the facts of (venue, symbol) pairs, a row per version: columns venue, symbol, since_us and Resolved's."""
        rows = [(*key, since, *facts) for key in symbols for since, facts in self._timeline(*key)]
        return pl.DataFrame(rows, schema=DIMENSION, orient="row")

    def _timeline(self, venue: str, symbol: str) -> list[tuple[int, Resolved]]:
        key = (venue, symbol)
        if key not in self._resolved:
            if len(self._resolved) > 100_000:
                self._resolved.clear()
            versions = self._versions.get(key)
            self._resolved[key] = (
                self._listed(venue, versions) if versions else [(ALWAYS, self._unlisted(venue, symbol))]
            )
        return self._resolved[key]

    def _unlisted(self, venue: str, symbol: str) -> Resolved:
        form = VENUES[venue].symbol_form(symbol) if venue in VENUES else None
        if form is None:
            return Resolved(multiplier=one_coin(symbol)[1])
        sizes = self._sizes.get((venue, form.family, form.contract), frozenset()) if form.contract else frozenset()
        of_family = next(iter(sizes)) if len(sizes) == 1 else None
        interval = self._intervals.get((venue, symbol)) or self._unlisted_interval(venue, form.kind == "perpetual")
        return Resolved(
            form.instrument, form.base, form.quote, form.settle, form.contract, form.kind,
            form.size if of_family is None else of_family, form.multiplier, "symbol" if of_family is None else "family",
            interval,
        )  # fmt: skip

    def _listed(self, venue: str, versions: Sequence[Version]) -> list[tuple[int, Resolved]]:
        """The first version also holds before it was first seen; versions that differ only in status are one."""
        first = versions[0].valid_from
        timeline = [
            (version.valid_from, self._facts(venue, version.instrument, first)) for version in _told_at_once(versions)
        ]
        merged = [timeline[0]] + [after for before, after in pairwise(timeline) if after[1] != before[1]]
        return [(ALWAYS, merged[0][1]), *merged[1:]]

    def _facts(self, venue: str, found: Instrument, listed_us: int) -> Resolved:
        interval = found.interval_hours
        return Resolved(
            found.instrument, found.base, found.quote, found.settle, found.contract, found.kind, found.contract_size,
            found.multiplier, "venue", interval or self._unlisted_interval(venue, found.pays_funding), listed_us,
        )  # fmt: skip

    def _unlisted_interval(self, venue: str, pays_funding: bool) -> float | None:
        """Return how often a perpetual pays that is no listed exception; holds only once the exceptions have been seen."""
        if venue not in VENUES or not pays_funding or venue not in self._exceptions_listed:
            return None
        return VENUES[venue].unlisted_interval_hours


DIMENSION: dict[str, type[pl.DataType]] = {
    "venue": pl.String, "symbol": pl.String, "since_us": pl.Int64, "instrument": pl.String, "base": pl.String,
    "quote": pl.String, "settle": pl.String, "contract": pl.String, "kind": pl.String, "contract_size": pl.Float64,
    "multiplier": pl.Int32, "metadata": pl.String, "interval_hours": pl.Float64,
    "listed_us": pl.Int64,
}  # fmt: skip


def _told_at_once(versions: Sequence[Version]) -> list[Version]:
    """Return the versions, the first ones with the interval that was told right after them."""
    told = next((version for version in versions if version.instrument.interval_hours is not None), None)
    if told is None or told.valid_from - versions[0].valid_from > ONE_READING_US:
        return list(versions)
    hours = told.instrument.interval_hours
    return [
        version._replace(instrument=msgspec.structs.replace(version.instrument, interval_hours=hours))
        if version.instrument.interval_hours is None
        else version
        for version in versions
    ]


def _as_of(versions: Sequence[Version], at: int) -> Version:
    return next((version for version in reversed(versions) if version.valid_from <= at), versions[0])


def from_table(table: pl.DataFrame, margins: pl.DataFrame | None = None) -> Instruments:
    """Return the book of the warehouse's tables `instruments` and `leverage_tiers`, rows in any order.

    Raises polars' errors for other columns.
    """
    names = Instrument.__struct_fields__
    ms = [pl.col(f"{name}_ts").dt.epoch("ms").alias(f"{name}_ms") for name in ("listed", "expiry")]
    rows = table.sort("valid_from").with_columns(pl.col("valid_from").dt.epoch("us").alias("at"), *ms)
    facts = rows.select("venue", "at", *names).iter_rows()
    book = Instruments().changed((venue, Instrument(*values), at) for venue, at, *values in facts)[0]
    return book if margins is None else book.with_tiers(tiers.from_table(margins))
