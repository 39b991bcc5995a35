"""No view, total or bar says infinite or not a number, whatever may be stored: every number of every case at its bound."""

import json
import math
from typing import Any

import pytest

from pipelines.venues.bounds import (
    AMOUNT,
    INTEREST,
    INTERVAL,
    LIMIT,
    LONGEST_SYMBOL,
    NOTIONAL,
    PRICE,
    QUANTITY,
    RATE,
    RATIO,
    SHARE,
    SIZE,
    VOLUME,
)
from tests.sql.test_views import CASES, Memory, asked
from warehouse.checks import checks

STORED = {
    **dict.fromkeys(("price", "price_raw", "order_price", "mark_price", "index_price"), PRICE),
    **dict.fromkeys(("open", "high", "low", "close"), PRICE),
    **dict.fromkeys(("volume_base", "volume_quote", "taker_buy_base", "long_volume", "short_volume"), VOLUME),
    **dict.fromkeys(("qty_raw", "qty_base"), QUANTITY),
    **dict.fromkeys(("oi_raw", "oi_base"), AMOUNT),
    **dict.fromkeys((f"{name}_base" for name in ("open", "high", "low", "close")), AMOUNT),
    **dict.fromkeys((f"{name}_usd" for name in ("open", "high", "low", "close")), INTEREST),
    **dict.fromkeys(("notional_usd", "usd", "largest_usd"), NOTIONAL._replace(least=QUANTITY.least * PRICE.least)),
    **dict.fromkeys(("long_share", "short_share"), SHARE),
    "oi_usd": INTEREST, "funding_rate": RATE, "interval_hours": INTERVAL, "ratio": RATIO, "contract_size": SIZE,
    "floor": LIMIT, "cap": LIMIT,
}  # fmt: skip
"""What each number of a table may be at most; those of a bar are sums of many, and their sums again of more."""


def _extreme(rows: list[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    """Rows with every number that has a bound at its least, its most, or the one and the other in turns."""
    found = []
    for n, row in enumerate(rows):
        most = how == "most" or (how == "in turns" and n % 2)
        bounds = {name: STORED[name] for name, value in row.items() if name in STORED and value is not None}
        found.append(row | {name: bound.most if most else bound.least for name, bound in bounds.items()})
    return found


OF_EACH = {path.parent.name: path for path in sorted(CASES, key=lambda path: path.stat().st_size)}  # its largest case


@pytest.mark.parametrize("view", OF_EACH)
def test_no_number_of_a_view_is_infinite(memory: Memory, view: str) -> None:
    given = json.loads(OF_EACH[view].read_text())
    for how in ("most", "least", "in turns"):
        extreme = {table: _extreme(rows, how) for table, rows in given["in"].items()}
        for row in asked(memory, view, {**given, "in": extreme, "out": [], "where": "true"}):
            for name, value in row.items():
                for number in value if isinstance(value, list) else [value]:
                    assert not isinstance(number, float) or math.isfinite(number), f"{name} is {number}, {how}"


def test_the_check_of_what_is_stored_has_the_same_bounds() -> None:
    body = next(check for check in checks() if check.name == "liquidations_plausible").body
    for number in (NOTIONAL.most, AMOUNT.most, QUANTITY.least, QUANTITY.most, PRICE.least, PRICE.most, LONGEST_SYMBOL):
        assert f"{number:g}" in body
