"""Every view and macro, what is asked of it, and its figures in plain Python; or why there are none."""

from functools import partial

from tests.day.asked import END, KAFKA, OF_CONTRACT, OF_ONE, Figures
from tests.day.derived import DERIVED
from tests.day.facts import DAY, HOUR, MINUTE, Facts, Rows, micros
from tests.day.figures import funding, imbalance, interest, liquidations, prices, quality, ratios, stress


def _week(facts: Facts, now: int) -> Rows:
    return liquidations.heatmap(facts, now, "BTC/USDT:USDT", now - 7 * DAY, 100, HOUR)


LIQUIDATIONS = [
    Figures(
        "liquidations_filled_in", liquidations.liquidations_filled_in,
        ("venue", "symbol", "ts_event", "order_side", "qty_raw", "price_raw", "order_price", "occurrence"),
        ("metadata", "null_reason", "event_key", *KAFKA), instants=END,
    ),
    Figures("liquidation_totals", liquidations.liquidation_totals, ("base", "venue", "position_side", "hours")),
    Figures("liquidation_totals_by_coin", liquidations.liquidation_totals_by_coin, ("base", "hours")),
    Figures("liquidation_totals_by_venue", liquidations.liquidation_totals_by_venue, ("venue", "hours")),
    Figures("liquidation_totals_overall", liquidations.liquidation_totals_overall, ("hours",)),
    Figures("liquidation_coverage_current", liquidations.liquidation_coverage_current, ("venue", "hours")),
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
        Figures(
            name, partial(liquidations.bars, length=length, name=time), (time, "venue", "symbol", "position_side"),
            instants=END,
        )
        for name, length, time in (
            ("liquidations_1m", MINUTE, "minute"), ("liquidations_1h", HOUR, "hour"), ("liquidations_1d", DAY, "day"),
        )
    ),
]  # fmt: skip

BTC = "BTC/USDT:USDT"
BONK = "BONK/USDT:USDT"
SEPTEMBER = micros("2026-09-01T00:00:00Z")
NOVEMBER_12 = micros("2026-11-12T00:00:00Z")
NOVEMBER_10 = micros("2026-11-10T00:00:00Z")
MIDDAY = micros("2026-11-18T12:00:00Z")
SETTLED = ("venue", "symbol", "ts_event")
BAR = ("venue", "symbol", "bar")

FUNDING = [
    Figures("funding_current", funding.current, OF_CONTRACT),
    Figures("funding_history", funding.history, SETTLED, instants=END),
    Figures(f"funding_settled('{BONK}', '2026-11-10')", partial(funding.settled, instrument=BONK, since=NOVEMBER_10), SETTLED),
    Figures("funding_cumulative", funding.cumulative, (*OF_CONTRACT, "days")),
    Figures("funding_oi_weighted", funding.oi_weighted, ("base",)),
    Figures("funding_volume_weighted", funding.volume_weighted, ("base",)),
    Figures("funding_spend", funding.spend, OF_CONTRACT),
    Figures("funding_spend_by_coin", funding.spend_by_coin, ("base",)),
    Figures("funding_arbitrage_current", funding.arbitrage, ("long_venue", "long_symbol", "short_venue", "short_symbol")),
    Figures(
        "funding_arbitrage(24, 0.0002, 30000000)", partial(funding.arbitrage, holding=24, fee=0.0002, least=3e7),
        ("long_venue", "long_symbol", "short_venue", "short_symbol"),
    ),
]  # fmt: skip

FUNDING.append(
    Figures(
        "funding_paid_at(TIMESTAMP '2026-11-18 14:00:00')", lambda facts, _: funding.paid_at(facts, MIDDAY + 2 * HOUR),
        ("base",), instants=END,
    )
)  # fmt: skip

INTEREST = [
    Figures("open_interest_at(TIMESTAMP '2026-11-18 12:00:00')", lambda facts, _: interest.at(facts, MIDDAY), OF_CONTRACT),
    Figures("open_interest_current", interest.current, OF_CONTRACT),
    Figures("open_interest_by_coin", interest.by_coin, ("base",)),
    Figures("open_interest_by_venue", interest.by_venue, ("base", "venue")),
    Figures("open_interest_by_margin", interest.by_margin, ("base", "contract", "settle")),
    Figures("open_interest_change", interest.change, (*OF_CONTRACT, "hours")),
    Figures("open_interest_to_volume", interest.to_volume, ("base",)),
    Figures("open_interest_change_by_coin", interest.change_by_coin, ("base", "hours")),
    Figures(
        "open_interest_values('2026-11-18 06:00:00', '2026-11-18 12:00:00')",
        lambda facts, now: interest.values(facts, now, MIDDAY - 6 * HOUR, MIDDAY), (*OF_CONTRACT, "period", "ts_event"),
    ),
    Figures("open_interest_1h", lambda facts, _: interest.hours(facts), (*OF_CONTRACT, "hour"), instants=END),
    *(
        Figures(
            f"open_interest_bars('{BTC}', '{text}', '2026-11-17')",
            partial(interest.bars, instrument=BTC, length=length, since=MIDDAY - DAY - 12 * HOUR), BAR,
        )
        for text, length in (("5m", 5 * MINUTE), ("4h", 4 * HOUR), ("1d", DAY))
    ),
    *(
        Figures(
            f"open_interest_history('{coin}', '{text}', '2026-11-17')",
            partial(interest.history, coin=coin, length=length, since=MIDDAY - DAY - 12 * HOUR), ("bar",),
        )
        for coin, text, length in (("BTC", "1h", HOUR), ("BONK", "1d", DAY))
    ),
]  # fmt: skip

PRICES = [
    Figures("price_24h", prices.last_day, OF_CONTRACT),
    *(
        Figures(f"price_bars('{name}', '{text}')", partial(prices.price_bars, instrument=name, length=length), BAR)
        for name, text, length in ((BTC, "5m", 5 * MINUTE), (BONK, "1h", HOUR), (BTC, "4h", 4 * HOUR), (BTC, "1d", DAY))
    ),
    Figures(
        f"price_bars('{BTC}', '7 days', '2026-08-10')",
        partial(prices.price_bars, instrument=BTC, length=7 * DAY, since=micros("2026-08-10T00:00:00Z")), BAR,
    ),
    Figures(
        "price_minutes(INTERVAL 15 MINUTES, '2026-11-18 00:00:00', as_of() + INTERVAL 1 MICROSECOND)",
        partial(prices.minutes, length=15 * MINUTE, since=MIDDAY - 12 * HOUR), BAR,
    ),
    Figures("price_hours('2026-11-12')", partial(prices.price_hours, since=NOVEMBER_12), (*OF_CONTRACT, "hour")),
    Figures("price_days('2026-09-01')", partial(prices.price_days, since=SEPTEMBER), (*OF_CONTRACT, "day")),
    Figures("price_bars_since('12h', '2026-11-12')", partial(prices.since, length=12 * HOUR, since=NOVEMBER_12), BAR),
    Figures("prices_1h", prices.prices_1h, (*OF_CONTRACT, "hour"), instants=END),
    Figures("prices_1d", prices.prices_1d, (*OF_CONTRACT, "day"), instants=END),
    Figures("rsi_current", prices.rsi_current, (*OF_CONTRACT, "interval")),
    Figures(f"rsi('{BTC}', '15m')", partial(prices.rsi, instrument=BTC, length=15 * MINUTE), BAR),
    Figures(f"rsi('{BONK}', '4h', 9, 60)", partial(prices.rsi, instrument=BONK, length=4 * HOUR, n=9, count=60), BAR),
]  # fmt: skip

RATIOS = [
    Figures("long_short_current", ratios.long_short_current, (*OF_CONTRACT, "kind", "period")),
    Figures("taker_ratio", ratios.taker_ratio, (*OF_CONTRACT, "hours")),
    Figures("market_stress", stress.market_stress, ("scope", "base")),
    Figures("market_stress_weights", stress.weights, ("part",), ("unit", "meaning"), instants=END),
]

QUALITY = [
    Figures(
        "feed_coverage",
        quality.feed_coverage,
        ("venue", "channel", "transport", "minute"),
        ("silence_likelihood",),
        END,
    ),
    Figures("feed_states", quality.feed_states, ("venue", "channel"), ("silence_likelihood",)),
    Figures("feed_gaps", quality.feed_gaps, ("venue", "channel", "transport", "start")),
    Figures("liquidation_coverage_by_hour", quality.liquidation_coverage_by_hour, ("venue", "channel", "hour")),
    Figures("dead_letters_summary", quality.dead_letters_summary, ("venue", "channel", "reason")),
    Figures("frame_numbers", quality.frame_numbers, ("session", "seq_from"), instants=END),
    Figures("frames_accounted", quality.frames_accounted, ("session",), ("unknown",), END),
    Figures("frames_by_venue", quality.frames_by_venue, ("venue",), instants=END),
    Figures("side_sanity", quality.side_sanity, ("venue", "day")),
    Figures("null_shares", quality.null_shares, ("table", "venue", "column"), instants=END),
    Figures("instruments_as_of", quality.instruments_as_of, (*OF_CONTRACT, "valid_from"), instants=END),
    Figures("leverage_tiers_as_of", quality.leverage_tiers_as_of, (*OF_CONTRACT, "tier"), instants=END),
]

FIGURES = [*LIQUIDATIONS, *FUNDING, *INTEREST, *PRICES, *RATIOS, *QUALITY, *DERIVED]

WORDS = "a list or a rule, no figures; the views that use it are recomputed"
NOT_RECOMPUTED = {
    "as_of": WORDS, "dollars": WORDS, "classes": WORDS, "lower_bound": WORDS,
    "heard_share": WORDS, "levels_limits": WORDS, "level_passed": WORDS,
    "signals_hour": WORDS, "known_instrument": WORDS, "known_coin": WORDS, "first_bar": WORDS,
    "clusters_of": "the part of clusters_at that reckons; this is recomputed",
    "zones_of": "the part of zones_at that reckons; this is recomputed",
    "rsi_series": "the part of rsi and rsi_current that reckons; these are recomputed",
    "liquidations_against_aggregated": "the day has no vendor's sums; its case has them",
    "measured_levels_at": "the venues of the day show no accounts; test_measured_levels.py recomputes a simulated one's",
    "levels_against_measured": "the venues of the day show no accounts; its cases have them",
    "liquidation_signs": "the venues of the day name their sides; its case has one that does not",
    "duplicates_dropped": "its days are those of the clock of the commits; its sums are recomputed in a test of their own",
    "liquidation_price_shifts": "measured figures and the lowest step of a margin table; its cases have them",
    "audit_last": "says what the checks found; that they hold on this day is a test of its own",
}  # fmt: skip
"""Views and macros without figures here, and why."""
