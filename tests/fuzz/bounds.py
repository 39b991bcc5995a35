"""What every input must keep: its time, and whose position a liquidation was."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_S = 3.0
"""Of processor time, for one input; the slowest honest one takes some milliseconds."""
SIDES = {"binance": {"SELL": "long", "BUY": "short"}, "bybit": {"Buy": "long", "Sell": "short"}}
READ = {*SIDES, "okx"}
OPPOSITE = {"buy": "short", "sell": "long"}
ORDERS = {"long": "sell", "short": "buy"}

tried: Counter[str] = Counter()
"""How many inputs each target has taken in this process."""


class TooSlowError(AssertionError):
    """An input took longer than any may."""


@contextmanager
def bounded(target: str, most_s: float = MOST_S, inputs: int = 1) -> Iterator[None]:
    """Count inputs, and raise TooSlowError where they take too much of the processor."""
    tried[target] += inputs
    began = time.process_time()
    yield
    if (took := time.process_time() - began) > most_s:
        raise TooSlowError(f"{target}: {took:.1f} s")


def sides(venue: str, payload: bytes) -> set[tuple[str, str]]:
    """Return (symbol, side of the position) of everything in a frame that looks like a liquidation, by a reading of its own."""
    try:
        message = json.loads(payload.decode(errors="replace"))  # what is skipped is not looked at
    except (ValueError, RecursionError):
        return set()
    return set(_found(venue, message, "", 0))


def wrong_sides(venue: str, payload: bytes, rows: list[tuple[str, str, str]]) -> list[str]:
    """Return what is wrong with rows (symbol, order side, position side) that were read from a frame.

    Of venues that are not read here nothing is: their sides are judged on frames by hand (test_known_errors.py, test_htx.py …).
    """
    if venue not in READ:
        return []
    known = sides(venue, payload)
    wrong = [
        f"{symbol} {position} is not in the frame" for symbol, _, position in rows if (symbol, position) not in known
    ]
    return wrong + [f"order {order}, position {position}" for _, order, position in rows if ORDERS[position] != order]


def _found(venue: str, message: Any, above: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 20:
        return
    if isinstance(message, list):
        for each in message:
            yield from _found(venue, each, above, depth + 1)
    if not isinstance(message, dict):
        return
    symbol = next((message[key] for key in ("instId", "symbol", "s") if isinstance(message.get(key), str)), above)
    if (position := _position(venue, message)) is not None:
        yield symbol, position
    for each in message.values():
        yield from _found(venue, each, symbol, depth + 1)


def _position(venue: str, item: dict[str, Any]) -> str | None:
    if venue == "okx":
        named = item.get("posSide")
        return named if named in ("long", "short") else _of(OPPOSITE, item.get("side")) if named == "net" else None
    return _of(SIDES[venue], item.get("S", item.get("side")))


def _of(table: dict[str, str], key: Any) -> str | None:
    return table.get(key) if isinstance(key, str) else None
