"""What a cascade is, as data: each version of the rule, its numbers never changed once it was used."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pipelines.derive import rule as rule_
from warehouse.lake import Lake

Scope = Literal["all", "complete"]
SCOPES: tuple[Scope, ...] = ("all", "complete")


class Rule(NamedTuple):
    """One version; what each number means and its unit stand at the table `cascade_rules`."""

    rule_version: str
    since: datetime
    gap_s: float
    min_usd: float
    min_usd_without_normal: float
    multiple: float
    min_count: int
    min_saturated_seconds: int
    normal_days: int
    normal_least_minutes: int
    market_wide_coins: int
    branching_margin_s: float
    branching_least: int
    branching_most: int
    branching_ks_limit: float
    definition: str

    @property
    def gap(self) -> timedelta:
        return timedelta(seconds=self.gap_s)

    def floor_usd(self, normal_minute_usd: float | None) -> float:
        """Return the least USD of a cascade, which is its least pace a minute too, for a coin's normal minute."""
        if normal_minute_usd is None:
            return self.min_usd_without_normal
        return max(self.min_usd, self.multiple * normal_minute_usd)


RULE = Rule(
    rule_version="v2",
    since=datetime(2026, 11, 30),  # noqa: DTZ001 the warehouse's times are UTC without a zone
    gap_s=180.0,
    min_usd=100_000.0,
    min_usd_without_normal=1_000_000.0,
    multiple=10.0,
    min_count=5,
    min_saturated_seconds=3,
    normal_days=7,
    normal_least_minutes=30,
    market_wide_coins=3,
    branching_margin_s=300.0,
    branching_least=50,
    branching_most=1000,
    branching_ks_limit=1.094,
    definition=(
        "Per coin: liquidations score their USD, time costs the pace (min_usd, or multiple normal minutes where that is "
        "more, a minute). A cascade runs from where the score leaves zero to where it is highest, and is over once the score "
        "is back at zero or gap_s seconds of the pace below its highest. It is also over where less than min_usd were "
        "liquidated both in the gap_s before and in the gap_s after, so gap_s of silence always end it. Kept if its USD "
        "reach one minute of the pace, its busiest 60 s multiple normal minutes where a normal minute is known, and it has "
        "min_count liquidations or min_saturated_seconds on throttled feeds."
    ),
)


def keep(warehouse: Lake, rule: Rule) -> None:
    """Store the rule beside the cascades found by it. Raises UsageError where the version is stored with other numbers."""
    rule_.keep(warehouse, "cascade_rules", rule)
