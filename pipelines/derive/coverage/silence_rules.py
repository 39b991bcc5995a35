"""The rules, as data, for when a silent liquidation channel is suspect and when it counts as dead; one entry per version."""

from datetime import datetime
from typing import NamedTuple

from pipelines.derive import rule as rule_
from warehouse.lake import Lake


class Rule(NamedTuple):
    """One version; what each number means and its unit are at the table `silence_rules`."""

    rule_version: str
    since: datetime
    least_minutes: int
    history_days: int
    least_past: float
    hour_minutes: float
    recent_minutes: int
    recent_weight: float
    dispersion: float
    market_shape: float
    market_shape_most: float
    own_shape: float
    own_shape_most: float
    unheard_share: float
    price_move: float
    price_minutes: int
    price_half: float
    price_shape: float
    suspect_below: float
    silent_below: float
    unheard_suspect_below: float
    unheard_silent_below: float
    definition: str


RULE = Rule(
    rule_version="v1",
    since=datetime(2026, 11, 29),  # noqa: DTZ001 the warehouse's times are UTC without a zone
    least_minutes=3,
    history_days=7,
    least_past=30.0,
    hour_minutes=120.0,
    recent_minutes=180,
    recent_weight=12.0,
    dispersion=3.0,
    market_shape=8.0,
    market_shape_most=40.0,
    own_shape=2.0,
    own_shape_most=20.0,
    unheard_share=0.5,
    price_move=0.03,
    price_minutes=10,
    price_half=50.0,
    price_shape=4.0,
    suspect_below=1e-7,
    silent_below=1e-10,
    unheard_suspect_below=1e-2,
    unheard_silent_below=1e-4,
    definition=(
        "Counted are the coins with a liquidation in each minute. Expected of a silent channel is what its past gives for the "
        "hour of the day, at its level of late, times how much more than usual the other venues bring in the same minutes; a "
        "channel that was never heard is expected to bring unheard_share of what the others do. The likelihood of nothing is a "
        "negative binomial's, with counts divided by dispersion, and shapes for how well the market's activity and the "
        "channel's part of it are known; each coin whose price moves by price_move within price_minutes adds to what is "
        "expected. Below suspect_below the silence is SUSPECT, below silent_below SILENT, from the last liquidation on."
    ),
)


def keep(warehouse: Lake, rule: Rule = RULE) -> None:
    """Store the rule beside the states found by it. Raises UsageError where the version is stored with other numbers."""
    rule_.keep(warehouse, "silence_rules", rule)
