"""What each signal asks for, as its definition has it: sides, whether the price is expected to go with or against them,
and of each ingredient the comparison, value, and role. Signals expect the price to go up where the side's fate says so."""

from typing import NamedTuple

from tests.day.facts import Facts, Rows

FUNDING, SHARE, DISTANCE = "funding_paid_8h", "cluster_share", "cluster_distance"
ACCOUNTS, RSI = "accounts_share", "rsi_1h"
BOTH = ("long", "short")


class Asked(NamedTuple):
    """One condition; `name` is what views show the ingredient as."""

    signal: str
    sides: tuple[str, ...]
    name: str
    ingredient: str
    comparison: str
    value: float
    unit: str = "fraction"
    role: str = "required"


def _near(signal: str, sides: tuple[str, ...], within: float) -> list[Asked]:
    return [Asked(signal, sides, SHARE, SHARE, ">=", 0.1), Asked(signal, sides, DISTANCE, DISTANCE, "<=", within)]


def _supports(
    signal: str, sides: tuple[str, ...], name: str, ingredient: str, how: str, value: float, unit: str = "fraction"
) -> Asked:
    return Asked(signal, sides, name, ingredient, how, value, unit, "supports")


HOT, SQUEEZE, CROWD, WASH, BACKED, ZONES = (
    "overheated_longs", "squeeze_setups", "crowded_positions", "washouts", "oi_backed_clusters", "support_resistance",
)  # fmt: skip
LONG, SHORT, EIGHT = ("long",), ("short",), "fraction per 8 h"
WITH = (WASH, ZONES)
"""Signals after which the price should go the way of the side; after the others against it."""
ASKED = (
    Asked(HOT, LONG, "funding", FUNDING, ">=", 0.0005, EIGHT), *_near(HOT, LONG, 0.03),
    _supports(HOT, LONG, "rsi", RSI, ">=", 70, "RSI"), _supports(HOT, LONG, "accounts", ACCOUNTS, ">=", 0.6),
    Asked(SQUEEZE, SHORT, "funding", FUNDING, ">=", 0.0003, EIGHT), *_near(SQUEEZE, SHORT, 0.03),
    _supports(SQUEEZE, SHORT, "rsi", RSI, "<=", 30, "RSI"), _supports(SQUEEZE, SHORT, "accounts", ACCOUNTS, ">=", 0.5),
    Asked(CROWD, BOTH, "accounts", ACCOUNTS, ">=", 0.65), *_near(CROWD, BOTH, 0.05),
    _supports(CROWD, BOTH, "top_positions", "top_positions_share", ">=", 0.55),
    _supports(CROWD, BOTH, "levels_side", "levels_side_share", ">=", 0.6),
    _supports(CROWD, BOTH, "funding", FUNDING, ">=", 0.0002, EIGHT),
    Asked(WASH, BOTH, "liquidated", "liquidated_usd_1h", ">=", 100_000, "USD"),
    Asked(WASH, BOTH, "percentile", "liquidated_percentile", ">=", 0.99),
    Asked(WASH, BOTH, "side", "liquidated_side_share", ">=", 0.75), Asked(WASH, BOTH, "flush", "oi_change_1h", "<=", -0.02),
    _supports(WASH, BOTH, "move", "move_against_1h", ">=", 0.01), _supports(WASH, LONG, "rsi", RSI, "<=", 30, "RSI"),
    _supports(WASH, SHORT, "rsi", RSI, ">=", 70, "RSI"),
    Asked(BACKED, BOTH, "oi", "oi_change_24h", ">=", 0.05), Asked(BACKED, BOTH, "growth", "levels_growth_24h", ">=", 0.1),
    *_near(BACKED, BOTH, 0.05), _supports(BACKED, BOTH, "funding", FUNDING, ">=", 0.0002, EIGHT),
    Asked(ZONES, BOTH, "cleared_share", "cleared_share", ">=", 0.1),
    Asked(ZONES, BOTH, "cleared_usd", "cleared_realised_usd", ">=", 100_000, "USD"),
    Asked(ZONES, BOTH, "held", "cleared_distance", ">=", 0), Asked(ZONES, BOTH, "near", "cleared_distance", "<=", 0.02),
)  # fmt: skip


def expected(signal: str, side: str) -> str:
    return "up" if (side == "long") == (signal in WITH) else "down"


def signal_thresholds(facts: Facts, now: int) -> Rows:
    return [
        {"signal": one.signal, "position_side": side, "expected": expected(one.signal, side), "name": one.name,
         "ingredient": one.ingredient, "comparison": one.comparison, "value": float(one.value), "unit": one.unit,
         "role": one.role}
        for one in ASKED for side in one.sides
    ]  # fmt: skip
