"""Every view and macro, what is asked of it, and its figures in plain Python; or why there are none."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.day.facts import DAY, HOUR, MINUTE, Facts, Rows
from tests.day.figures import imbalance, liquidations

OF_CONTRACT = ("venue", "symbol")
OF_ONE = ("venue", "symbol", "ts_event", "position_side", "qty_base", "price")
KAFKA = ("kafka_topic", "kafka_partition", "kafka_offset")


class Figures(NamedTuple):
    """What is asked (a view, a table, a macro's call), the plain figures, what tells rows apart, and columns left out:
    where a row lies, a hash, or the word for where a contract's facts are from."""

    asked: str
    rows: Callable[[Facts, int], Rows]
    key: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The view, table or macro."""
        return self.asked.partition("(")[0]


def _week(facts: Facts, now: int) -> Rows:
    return liquidations.heatmap(facts, now, "BTC/USDT:USDT", now - 7 * DAY, 100, HOUR)


LIQUIDATIONS = [
    Figures(
        "liquidations_complete", liquidations.liquidations_complete,
        ("venue", "symbol", "ts_event", "order_side", "qty_raw", "price_raw", "order_price", "occurrence"),
        ("metadata", "null_reason", "event_key", *KAFKA),
    ),
    Figures("liquidation_totals", liquidations.liquidation_totals, ("base", "venue", "position_side", "hours")),
    Figures("liquidation_totals_by_coin", liquidations.liquidation_totals_by_coin, ("base", "hours")),
    Figures("liquidation_totals_by_venue", liquidations.liquidation_totals_by_venue, ("venue", "hours")),
    Figures("liquidation_totals_overall", liquidations.liquidation_totals_overall, ("hours",)),
    Figures("liquidation_completeness", liquidations.liquidation_completeness, ("venue", "hours")),
    Figures(
        "liquidation_coverage([as_of() - INTERVAL 3 HOURS, as_of() - INTERVAL 7 DAYS])",
        liquidations.liquidation_coverage, ("venue", "since"),
    ),
    Figures(
        "liquidations_by_minute", liquidations.liquidations_by_minute, ("minute", "base", "venue", "position_side")
    ),
    Figures("totals(0.5)", partial(liquidations.totals, hours=0.5), ("base", "venue")),
    Figures("totals(168)", partial(liquidations.totals, hours=168), ("base", "venue")),
    Figures("liquidation_largest", liquidations.liquidation_largest, ("rank",)),
    Figures(
        "largest(2, 10, 'BTC')", partial(liquidations.largest, hours=2, number=10, coin="BTC"), ("rank",)
    ),
    Figures("liquidation_feed", liquidations.liquidation_feed, OF_ONE),
    Figures(
        "feed(20000, NULL, hours := 3)", partial(liquidations.feed, min_usd=20000, times=None, hours=3), OF_ONE
    ),
    Figures("liquidation_imbalance", imbalance.liquidation_imbalance, ("base", "days")),
    Figures(
        "liquidation_heatmap_realised", liquidations.liquidation_heatmap_realised,
        ("instrument", "bin_start", "price_low", "position_side"),
    ),
    Figures(
        "heatmap('BTC/USDT:USDT', as_of() - INTERVAL 7 DAYS, 100, INTERVAL 1 HOUR)", _week,
        ("instrument", "bin_start", "price_low", "position_side"),
    ),
    *(
        Figures(name, partial(liquidations.bars, length=length, name=time), (time, "venue", "symbol", "position_side"))
        for name, length, time in (
            ("liquidations_1m", MINUTE, "minute"), ("liquidations_1h", HOUR, "hour"), ("liquidations_1d", DAY, "day"),
        )
    ),
]  # fmt: skip

FIGURES = [*LIQUIDATIONS]
