"""The back-test of estimated levels: maps frozen every half hour, what they foretold, what was swept and liquidated."""

import math
import operator
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from statistics import median
from typing import NamedTuple

from tests.day.facts import DAY, HOUR, MINUTE, Facts, Rows
from tests.day.figures import levels
from tests.day.figures.arithmetic import grouped
from tests.day.figures.exposure import Exposure
from tests.day.figures.prices import of_contract
from tests.day.figures.reaching import Known, known

PUBLISHED = dict(zip(levels.LEVERAGES, (0.10, 0.20, 0.30, 0.25, 0.15), strict=True))
SINCE = (
    1_794_960_000_000_000 + 12 * HOUR
)  # 2026-11-18 12:00: maps are scored from here on, weights fitted to the time before
UNTIL = SINCE + 2 * HOUR
FROZEN = 30 * MINUTE
SCORED_WITHIN = math.log(1.1)
WIDEST = 400
FIT_BINS, LEAST_MAPS, MOST_LEFT = 8, 40, 0.95
MEASURED = {"BTC": 0.0038, "ETH": 0.0028, "SOL": 0.0057, "DOGE": 0.0078}
"""How far OKX' bkPx lay beyond the mark."""
Place = tuple[bool, int]


class Weights(NamedTuple):
    """What share of a coin's openings has each leverage, by what method, and the end of the data it was fitted to."""

    of: dict[float, float]
    method: str = "published"
    since: int | None = None


class Judged(NamedTuple):
    """A map of a coin's contracts at a venue, frozen at an instant: USD by side, bins from the price then and leverage; places
    the price reached, and what was known of them; USD swept by leverage and liquidated, by place."""

    base: str
    venue: str
    at: int
    near: dict[tuple[bool, int, float], float]
    reached: list[Place]
    swept: dict[tuple[bool, int, float], float]
    realised: dict[Place, float]
    known: list[Known]


@cache
def realised(facts: Facts) -> Rows:
    """Return the liquidations that were told: a bankruptcy price is brought back by the maintenance rate."""
    found = []
    for row in facts.liquidations:
        own, usd = of_contract(row), row["notional_usd"]
        if own in levels.listings(facts) and (row["price"] or 0) > 0 and usd:
            rate, _ = levels.margin_table(facts, own, row["ts_event"] // DAY * DAY)
            d = 1 if row["position_side"] == "long" else -1
            inverse = levels.listings(facts)[own]["contract"] == "inverse"
            back = (1 + d * rate if inverse else 1 / (1 - d * rate)) if row["price_kind"] == "bankruptcy" else 1.0
            if row["price_kind"] == "okx_bkPx":
                back = 1 / (1 - d * MEASURED.get(row["base"], median(MEASURED.values())))
            told = {"base": row["base"], "completeness": row["completeness"]}
            found.append(
                told | {"own": own, "ts": row["ts_event"], "long": d == 1, "price": row["price"] * back, "usd": usd}
            )
    return found


@cache
def maps(facts: Facts) -> list[Judged]:
    """Return every judged map, of the coins with liquidations in the time scored, at the venues that told any."""
    inside = [row for row in realised(facts) if SINCE <= row["ts"] < UNTIL]
    coins = sorted({levels.listings(facts)[row["own"]]["base"] for row in inside})
    venues = sorted({row["own"][0] for row in inside})
    book, found = levels.Book(facts), list[Judged]()
    told = grouped(realised(facts), lambda row: row["ts"] // FROZEN * FROZEN)
    for at in range(levels.first_hour(facts), UNTIL, FROZEN):
        frozen = {own: one.close for own, one in book.of.items() if one.close is not None}
        near = {own: _near(book.of[own], close) for own, close in frozen.items()}
        before = {
            (base, venue): _known(facts, book, base, venue, at) for base in coins for venue in venues if at >= SINCE
        }
        for one in book.of.values():
            one.swept.clear()
        spans = _spans(book, book.advance(at + FROZEN, at // DAY * DAY), frozen)
        for base in coins:
            for venue in venues:
                of = [own for own in frozen if levels.listings(facts)[own]["base"] == base and own[0] == venue]
                places = _reached(book, spans, of, frozen)
                swept = (_usd(book.of[own], book.of[own].swept, frozen[own]) for own in of)
                found.append(Judged(
                    base, venue, at, _sum(near.get(own, {}) for own in of), places, _sum(swept),
                    _realised(book, told.get(at, []), spans, {own: frozen[own] for own in of}),
                    [before[base, venue][offset] for _, offset in places] if at >= SINCE else [],
                ))  # fmt: skip
    return found


def _known(facts: Facts, book: levels.Book, base: str, venue: str, at: int) -> dict[int, Known]:
    """Return what is known of the bins around a coin's price at a venue, wider than a map's half hour ever went."""
    of = [one for own, one in book.of.items()
          if own[0] == venue and levels.listings(facts)[own]["base"] == base and one.close is not None]  # fmt: skip
    return {each.offset: each for each in known(of, at, range(-WIDEST, WIDEST + 1))} if of else {}


Cells = dict[tuple[bool, int, float], float]
Spans = dict[levels.Own, dict[int, tuple[int, int]]]


def _usd(exposure: Exposure, cells: Cells, close: float) -> Cells:
    """Return coins in bins as USD at the bins' prices, counted from the close."""
    zero, width = exposure.bin(close), exposure.log_width
    return {
        (long, level - zero, leverage): qty * close * math.exp((level - zero) * width)
        for (long, level, leverage), qty in cells.items()
    }


def _near(exposure: Exposure, close: float) -> Cells:
    cells = _usd(exposure, exposure.left(), close)
    return {cell: usd for cell, usd in cells.items() if abs(cell[1]) * exposure.log_width <= SCORED_WITHIN}


def _sum(parts: Iterable[Cells]) -> Cells:
    found: Cells = defaultdict(float)
    for part in parts:
        for cell, usd in part.items():
            found[cell] += usd
    return found


def _spans(book: levels.Book, taken: dict[levels.Own, Rows], frozen: dict[levels.Own, float]) -> Spans:
    """Return each minute's lowest and highest bin; a minute's range reaches from the close before it."""
    found: Spans = {}
    for own, rows in taken.items():
        last = frozen.get(own)
        for row in rows:
            prices = [row["low"], row["high"], row["close"], *([] if last is None else [last])]
            bin_of, last = book.of[own].bin, row["close"]
            found.setdefault(own, {})[row["ts"]] = bin_of(min(prices)), bin_of(max(prices))
    return found


def _reached(book: levels.Book, spans: Spans, whole: list[levels.Own], frozen: dict[levels.Own, float]) -> list[Place]:
    """Return the bins beyond the frozen price's own that were traded on contracts whose liquidations are all told."""
    moved = [
        (low - zero, high - zero)
        for own in whole if (zero := book.of[own].bin(frozen[own])) is not None
        for low, high in spans.get(own, {}).values()
    ]  # fmt: skip
    if not moved:
        return []
    low, high = min(low for low, _ in moved), max(high for _, high in moved)
    return [*((True, offset) for offset in range(low, 0)), *((False, offset) for offset in range(1, high + 1))]


def _realised(book: levels.Book, told: Rows, spans: Spans, frozen: dict[levels.Own, float]) -> dict[Place, float]:
    """Return what was liquidated, by place; a price outside its minute's range is moved to its edge."""
    found: dict[Place, float] = defaultdict(float)
    for row in told:
        if (close := frozen.get(row["own"])) is not None:
            bin_of = book.of[row["own"]].bin
            level = bin_of(row["price"])
            low, high = spans.get(row["own"], {}).get(row["ts"] // MINUTE * MINUTE, (level, level))
            found[row["long"], min(max(level, low), high) - bin_of(close)] += row["usd"]
    return found


def weights(facts: Facts, base: str, at: int) -> Weights:
    """Return the weights in use at an instant: those fitted before it, else the published ones."""
    return (_fitted(facts, base) if at >= SINCE else None) or Weights(PUBLISHED)


@cache
def _fitted(facts: Facts, base: str) -> Weights | None:
    """Fit the share of each leverage to what was swept and liquidated before; None where that explains too little."""
    cells: dict[tuple[int, bool, int], tuple[list[float], list[float]]] = defaultdict(lambda: ([0.0] * 5, [0.0]))
    told = [row for row in realised(facts) if SINCE <= row["ts"] < UNTIL]
    feeds = grouped(told, lambda row: row["own"][0])
    whole = {venue for venue, rows in feeds.items() if all(row["completeness"] == "all" for row in rows)}
    for one in maps(facts):
        if one.base == base and one.venue in (whole or feeds) and one.at < SINCE:
            for (long, offset, leverage), usd in one.swept.items():
                cells[one.at, long, offset // FIT_BINS][0][levels.LEVERAGES.index(leverage)] += usd
            for (long, offset), usd in one.realised.items():
                cells[one.at, long, offset // FIT_BINS][1][0] += usd
    seen = [len({own[0] for own, (swept, _) in cells.items() if swept[n] > 0}) for n in range(5)]
    known = [n for n in range(5) if seen[n] >= LEAST_MAPS]
    if not known or len({own[0] for own, (_, (usd,)) in cells.items() if usd > 0}) < LEAST_MAPS:
        return None
    return _solved(list(cells.values()), known)


def _solved(cells: list[tuple[list[float], list[float]]], known: list[int]) -> Weights | None:
    """Least squares without negative weights, by every choice of the leverages that have one."""
    published = [PUBLISHED[leverage] for leverage in levels.LEVERAGES]
    expected = [math.fsum(map(operator.mul, swept, published)) for swept, _ in cells]
    some = sorted(each for each in expected if each > 0)
    least = some[round(0.1 * (len(some) - 1))] if some else 1.0
    w = [1 / (each + least) for each in expected]
    gram = [
        [math.fsum(v * s[i] * s[j] for v, (s, _) in zip(w, cells, strict=True)) for j in range(5)] for i in range(5)
    ]
    moment = [math.fsum(v * s[i] * y for v, (s, (y,)) in zip(w, cells, strict=True)) for i in range(5)]
    whole = math.fsum(v * y * y for v, (_, (y,)) in zip(w, cells, strict=True))
    tried = [_least_squares(gram, moment, part) for n in range(1, len(known) + 1) for part in combinations(known, n)]
    gain, x = max((one for one in tried if one is not None), key=lambda one: one[0], default=(0.0, {}))
    if not x or 1 - gain / whole > MOST_LEFT:
        return None
    free, size = math.fsum(published[n] for n in known), math.fsum(x.values())
    found = [x.get(n, 0.0) / size * free if n in known else published[n] for n in range(5)]
    return Weights(dict(zip(levels.LEVERAGES, found, strict=True)), "fitted", SINCE)


def _least_squares(
    gram: list[list[float]], moment: list[float], part: Sequence[int]
) -> tuple[float, dict[int, float]] | None:
    """Return how much these unknowns explain, and them; None where one is not positive."""
    rows = [[gram[i][j] for j in part] + [moment[i]] for i in part]
    for i, row in enumerate(rows):
        if row[i] == 0:
            return None
        for other in rows[:i] + rows[i + 1 :]:
            times = other[i] / row[i]
            other[:] = [value - times * top for value, top in zip(other, row, strict=True)]
    x = {n: row[-1] / row[i] for i, (n, row) in enumerate(zip(part, rows, strict=True))}
    return (math.fsum(x[n] * moment[n] for n in part), x) if min(x.values()) > 0 else None
