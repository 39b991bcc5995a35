"""What estimated levels are made of: every contract's minutes and margin table, and what they leave open."""

import math
from collections import defaultdict
from functools import cache

from tests.day.facts import HOUR, MINUTE, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped, highest, total
from tests.day.figures.contracts import DOLLARS
from tests.day.figures.exposure import Exposure
from tests.day.figures.prices import of_contract

LEVERAGES = (5.0, 10.0, 25.0, 50.0, 100.0)
FINE, LOG_WIDTH, LOG_WIDTH_FINE = ("BTC", "ETH"), math.log1p(0.002), math.log1p(0.001)
NO_TABLE = (0.005, 125.0)
Own = tuple[str, str]


def log_width(base: str) -> float:
    """Return ln(1 + width) of the coin's bins."""
    return LOG_WIDTH_FINE if base in FINE else LOG_WIDTH


@cache
def listings(facts: Facts) -> dict[Own, Row]:
    """Return the contracts quoted in dollars, as listed last."""
    return {of_contract(row): row for row in facts.of("instruments") if row["quote"] in DOLLARS}


@cache
def bars(facts: Facts) -> dict[Own, Rows]:
    """Return every contract's minutes in order: trade candles, else the last mark; open interest and liquidated beside."""
    found: dict[Own, dict[int, Row]] = defaultdict(dict)
    marks = grouped(_marks(facts), lambda row: (of_contract(row), row["ts_event"] // MINUTE * MINUTE))
    for (own, minute), rows in marks.items():
        last = max(rows, key=lambda row: int(row["ts_event"]))["mark_price"]
        found[own][minute] = dict.fromkeys(("low", "high", "close"), last)
    candles = (row for row in facts.klines if row["interval"] == "1m" and row["price_kind"] == "trade")
    for (venue, symbol, minute), rows in grouped(candles, lambda row: (*of_contract(row), row["ts_event"])).items():
        if contract := listings(facts).get((venue, symbol)):
            told = _candle(rows, contract["multiplier"])
            running = not any(row["closed"] for row in rows)
            beside = marks.get(((venue, symbol), minute), []) if running else []
            found[venue, symbol][minute] = _gone_on(told, max(row["recv"] for row in rows), beside)
    interest, gone = _interest(facts), _liquidated(facts)
    return {
        own: [
            row | {"ts": minute, "oi": interest.get((own, minute)), "liquidated_long": gone.get((own, minute, "long")),
                   "liquidated_short": gone.get((own, minute, "short"))}
            for minute, row in sorted(of.items())
        ]
        for own, of in found.items()
    }  # fmt: skip


def _marks(facts: Facts) -> Rows:
    return [row for row in facts.marks if row["mark_price"] is not None and of_contract(row) in listings(facts)]


def _candle(rows: Rows, multiplier: float) -> Row:
    last = max(rows, key=lambda row: (bool(row["closed"]), row["recv"]))
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    volume = highest(row["volume_base"] for row in rows)
    return {"low": low / multiplier, "high": high / multiplier, "close": last["close"] / multiplier, "volume": volume}


def _gone_on(candle: Row, told_at: int, marks: Rows) -> Row:
    """Return a candle that runs with what the marks of its minute say of the rest of it."""
    if not marks:
        return candle
    prices, last = [row["mark_price"] for row in marks], max(marks, key=lambda row: int(row["ts_event"]))
    return {
        "low": min(candle["low"], *prices), "high": max(candle["high"], *prices),
        "close": last["mark_price"] if last["ts_event"] > told_at else candle["close"], "volume": candle["volume"],
    }  # fmt: skip


def _unit(facts: Facts, own: Own) -> tuple[str, str]:
    """Open interest and liquidations are counted in coins, of inverse contracts in USD."""
    inverse = listings(facts)[own]["contract"] == "inverse"
    return ("oi_usd", "notional_usd") if inverse else ("oi_base", "qty_base")


def _interest(facts: Facts) -> dict[tuple[Own, int], float | None]:
    """Return the last value of each minute; of one instant the live one."""
    rows = (row for row in facts.open_interest if of_contract(row) in listings(facts))
    rows = sorted(rows, key=lambda row: (row["ts_event"], row["period"] is None, row["recv"]))  # type: ignore[assignment]
    last = {(of_contract(row), row["ts_event"] // MINUTE * MINUTE): row for row in rows}
    return {own: row[_unit(facts, own[0])[0]] for own, row in last.items()}


def _liquidated(facts: Facts) -> dict[tuple[Own, int, str], float | None]:
    rows = (row for row in facts.liquidations if of_contract(row) in listings(facts))
    by_minute = grouped(rows, lambda row: (of_contract(row), row["ts_event"] // MINUTE * MINUTE, row["position_side"]))
    return {own: total(row[_unit(facts, own[0])[1]] for row in of) for own, of in by_minute.items()}


def margin_table(facts: Facts, own: Own, at: int) -> tuple[float, float]:
    """Return the lowest step's maintenance rate and the highest leverage, of the contract's table or its family's."""
    for symbol in (own[1], listings(facts)[own]["family"]):
        steps = [
            r for r in facts.of("leverage_tiers") if (r["venue"], r["symbol"]) == (own[0], symbol) and r["recv"] <= at
        ]
        if steps:
            first = min(steps, key=lambda row: int(row["tier"]))
            return first["maintenance_margin_rate"], max(row["max_leverage"] for row in steps)
    return NO_TABLE


class Book:
    """Every contract's exposure as time goes on."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.of = {
            own: Exposure(log_width(row["base"]), row["contract"] == "inverse") for own, row in listings(facts).items()
        }
        self._next = dict.fromkeys(self.of, 0)

    def advance(self, until: int, tables_at: int) -> dict[Own, Rows]:
        """Take the bars up to `until`, positions being opened by the margin tables of an instant; return them."""
        taken: dict[Own, Rows] = {}
        for own, exposure in self.of.items():
            exposure.allow(LEVERAGES, *margin_table(self.facts, own, tables_at))
            rows, first = bars(self.facts).get(own, []), self._next[own]
            while self._next[own] < len(rows) and rows[self._next[own]]["ts"] < until:
                exposure.bar(rows[self._next[own]])
                self._next[own] += 1
            taken[own] = rows[first : self._next[own]]
        return taken


def first_hour(facts: Facts) -> int:
    """Return the hour of the first bar."""
    return min(rows[0]["ts"] for rows in bars(facts).values()) // HOUR * HOUR
