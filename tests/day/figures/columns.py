"""Columns of estimated levels: each hour's state of every contract as one map a coin."""

import math
import statistics
from collections import defaultdict
from functools import cache

from tests.day.facts import DAY, HOUR, MINUTE, Facts, Row, Rows
from tests.day.figures import judged, levels
from tests.day.figures.arithmetic import grouped, listed
from tests.day.figures.exposure import Exposure
from tests.day.figures.reaching import known

FARTHEST = 0.5
UNTIL = 1_795_046_400_000_000 + MINUTE  # 2026-11-19 00:01: the last estimate of the day


@cache
def columns(facts: Facts) -> dict[int, Rows]:
    """Return the rows of liquidation_levels by time: each full hour, and the last estimate; of the model oi, which views show
    where no back-test was long enough to prefer the other."""
    return {ts: [row for row in rows if row["model"] == "oi"] for ts, rows in both(facts).items()}


@cache
def both(facts: Facts) -> dict[int, Rows]:
    """Return the rows of liquidation_levels by time, of both models."""
    found, book = {}, levels.Book(facts)
    for start in range(levels.first_hour(facts), UNTIL, HOUR):
        end = min(start + HOUR, UNTIL)
        taken = book.advance(end, start)
        live = {own: one for own, one in book.of.items() if one.close is not None and one.ts + MINUTE > end - DAY}
        coins = grouped(live.items(), lambda item: levels.listings(facts)[item[0]]["base"])  # type: ignore[arg-type]
        found[end] = [
            row
            for base, of in coins.items()
            for row in _column(
                base, dict(of), judged.weights(facts, base, end), _bars_share(facts, base, taken, (start, end)), end
            )
        ]
    return found


def _column(
    base: str, live: dict[levels.Own, Exposure], weights: judged.Weights, bars_share: float, end: int
) -> Rows:  # fmt: skip
    width, price_now = levels.log_width(base), statistics.median(one.close for one in live.values() if one.close)
    summed: dict[tuple[bool, int, float], float] = defaultdict(float)
    for one in live.values():
        moved = one.bin(price_now) - one.bin(one.close)  # type: ignore[arg-type]
        allowed = {leverage for long, leverage in one.factors if long}
        whole = math.fsum(weights.of[leverage] for leverage in allowed)
        for (long, level, leverage), qty in one.left().items():
            if leverage in allowed:
                summed[long, level + moved, leverage] += qty * weights.of[leverage] / whole
    told = {
        "ts": end, "base": base, "price_now": price_now, "contracts": len(live), "venues": listed(own[0] for own in live),
        "since": min(one.since for one in live.values()), "weights_from": weights.method, "weights_since": weights.since,
        "bars_share": bars_share,
    }  # fmt: skip
    rows = [_level(cell, qty, width) | told | {"model": "oi"} for cell, qty in summed.items()]
    rows += [row | told | {"model": "reach", "weights_from": "published", "weights_since": None}
             for row in _reach(live, weights, price_now, end)]  # fmt: skip
    rows = [row | {"distance": row["price"] / price_now - 1} for row in rows]
    return [row for row in rows if abs(row["distance"]) <= FARTHEST]


def _reach(live: dict[levels.Own, Exposure], weights: judged.Weights, price_now: float, end: int) -> Rows:
    """Return the bins of the model reach: of each venue every bin but the price's own, summed around the coin's price."""
    found: dict[int, float] = defaultdict(float)
    for of in grouped(live.items(), lambda item: item[0][0]).values():  # type: ignore[arg-type]
        contracts = [one for _, one in of]
        opened = _opened(contracts, weights)
        width = contracts[0].log_width
        low, high = math.floor(math.log(1 - FARTHEST) / width), math.ceil(math.log(1 + FARTHEST) / width)
        for each in known(contracts, end, (offset for offset in range(low, high + 1) if offset)):
            if usd := each.reach(opened.get(each.offset, 0.0)):
                found[each.offset] += usd
    zero, width = contracts[0].bin(price_now), contracts[0].log_width
    rows = []
    for offset, usd in found.items():
        row = _level((offset < 0, zero + offset, 0.0), 1.0, width)
        rows.append(row | {"leverage": None, "qty_base_estimated": usd / row["price"], "usd_estimated": usd})
    return rows


def _opened(contracts: list[Exposure], weights: judged.Weights) -> dict[int, float]:
    """Return USD of the model oi by bins from each contract's last close."""
    found: dict[int, float] = defaultdict(float)
    for one in contracts:
        allowed = {leverage for long, leverage in one.factors if long}
        whole, zero = math.fsum(weights.of[leverage] for leverage in allowed), one.bin(one.close)  # type: ignore[arg-type]
        for (_, level, leverage), qty in one.left().items():
            if leverage in allowed:
                price = one.close * math.exp((level - zero) * one.log_width)  # type: ignore[operator]
                found[level - zero] += qty * weights.of[leverage] / whole * price
    return found


def _bars_share(facts: Facts, base: str, taken: dict[levels.Own, Rows], hour: tuple[int, int]) -> float:
    """Return bars / minutes of a coin: from the hour's start; of one without any the day before from its first."""
    seen = due = 0
    for own, rows in taken.items():
        had = any(hour[0] - DAY <= row["ts"] < hour[0] for row in levels.bars(facts).get(own, []))
        if levels.listings(facts)[own]["base"] == base and (rows or had):
            first = hour[0] if had else rows[0]["ts"]
            seen, due = seen + len(rows), due + (hour[1] - first) // MINUTE
    return seen / due


def _level(cell: tuple[bool, int, float], qty: float, width: float) -> Row:
    long, level, leverage = cell
    low, price, high = (math.exp((level + part) * width) for part in (0, 0.5, 1))
    return {
        "position_side": "long" if long else "short", "bin": level, "leverage": leverage, "price_low": low,
        "price_high": high, "price": price, "qty_base_estimated": qty, "usd_estimated": qty * price,
    }  # fmt: skip


def liquidation_levels(facts: Facts, now: int) -> Rows:
    return [row for rows in both(facts).values() for row in rows]
