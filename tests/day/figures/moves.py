"""What the price did around a cascade, from the coin's contracts in it (warehouse/tables/cascades.py)."""

from collections.abc import Callable
from functools import cache

from tests.day.facts import HOUR, MINUTE, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped
from tests.day.figures.contracts import contracts
from tests.day.figures.prices import of_contract

BEFORE = 10 * MINUTE
NAMES = ("price_source", "price_before", "price_extreme", "price_end", "price_1h", "move", "move_extreme", "move_1h")
Own = tuple[str, str]
Span = tuple[int, int]
Four = tuple[float | None, float | None, float | None, float | None]


def prices_around(facts: Facts, rows: Rows, span: Span, side: str) -> Row:
    """Return the prices of the contract with most USD that has them: of trades before marks, with an end before without.

    Every contract of the simulated market has prices of its own, so none takes another's.
    """
    found = []
    for own, of in grouped(rows, of_contract).items():
        usd = sum(row["notional_usd"] or 0 for row in of)
        for source, told in (("klines", _of_candles), ("mark_prices", _of_marks)):
            four = told(facts, own, span, min if side == "long" else max)
            if four[0] and (four[2] is None or four[2] > 0):
                found.append(((four[2] is None, source, -usd, own), (" ".join((source, *own)), four)))
    if not found:
        return dict.fromkeys(NAMES)
    source, (before, extreme, at_end, later) = min(found)[1]
    moves = _move(before, at_end), _move(before, extreme), _move(at_end, later)
    return dict(zip(NAMES, (source, before, extreme, at_end, later, *moves), strict=True))


def _move(price: float | None, then: float | None) -> float | None:
    return None if price is None or then is None else then / price - 1


@cache
def _candles(facts: Facts) -> dict[Own, dict[int, Row]]:
    """Return each contract's one-minute candles of trades; one that has closed goes before the same as it ran."""
    rows = (row for row in facts.klines if row["interval"] == "1m" and row["price_kind"] == "trade")
    by = grouped(sorted(rows, key=lambda row: bool(row["closed"])), of_contract)
    return {own: {row["ts_event"]: row for row in of} for own, of in by.items()}


def _of_candles(facts: Facts, own: Own, span: Span, worst: Callable[[list[float]], float]) -> Four:
    start, end = span
    of = _candles(facts).get(own, {})
    if own not in contracts(facts):
        return None, None, None, None
    last = max((ts for ts in of if start - BEFORE < ts + MINUTE <= start), default=None)
    low_high = [of[ts]["low" if worst is min else "high"] for ts in of if ts + MINUTE > start and ts <= end]

    def close(moment: int) -> float | None:
        row = of.get(moment // MINUTE * MINUTE)
        return row["close"] if row and row["closed"] else None

    four = (
        None if last is None else of[last]["close"],
        worst(low_high) if low_high else None,
        close(end),
        close(end + HOUR),
    )
    size = contracts(facts)[own].multiplier
    return tuple(None if price is None else price / size for price in four)  # type: ignore[return-value]


@cache
def _marks(facts: Facts) -> dict[Own, list[tuple[int, float]]]:
    rows = ((of_contract(row), row) for row in facts.marks if row["mark_price"] is not None)
    by = grouped(rows, lambda pair: pair[0])  # type: ignore[arg-type]
    return {own: sorted((row["ts_event"], row["mark_price"]) for _, row in of) for own, of in by.items()}  # type: ignore[misc]


def _of_marks(facts: Facts, own: Own, span: Span, worst: Callable[[list[float]], float]) -> Four:
    start, end = span
    of = _marks(facts).get(own, [])
    before = [price for ts, price in of if start - BEFORE < ts <= start]
    during = [price for ts, price in of if start < ts <= end + MINUTE]
    ends = [price for ts, price in of if end <= ts < end + 2 * MINUTE]
    later = [price for ts, price in of if end + HOUR <= ts < end + HOUR + 2 * MINUTE]
    first = (prices[0] if prices else None for prices in (ends, later))
    return before[-1] if before else None, worst(during) if during else None, *first  # type: ignore[return-value]
