"""What flows derive and the views of it: cascades, estimated levels, signals."""

from collections.abc import Callable
from functools import partial

from tests.day.asked import AFTERMATH, END, Figures
from tests.day.facts import Facts, Rows
from tests.day.figures import cascade_views, cascades, columns, ingredients, maps, reach, scores, signals, thresholds

BRANCHING = ("branching_ratio", "branching_instants", "branching_ks", "branching_null_reason")
"""No view shows it: a maximum of a likelihood, which is not one to the cent; test_cascades_branching.py holds the fit to
simulated processes whose ratio is known."""

CASCADES = [
    Figures(
        "cascades",
        lambda facts, _: cascades.cascades(facts),
        ("scope", "base", "ts_start"),
        (*BRANCHING, "by_venue"),
        END,
    ),
    Figures("cascades_recent", cascade_views.recent, ("base", "ts_start")),
    Figures("cascades_by_day", cascade_views.by_day, ("day", "scope", "base", "position_side")),
    Figures("cascades_market_wide", cascade_views.market_wide, ("ts_start",)),
    Figures("cascade_venues", cascade_views.venues, ("cascade_id", "venue", "completeness"), instants=END),
]

BIN = ("base", "position_side", "bin")
CLUSTER = ("base", "position_side", "price_low")
LEVELS = [
    Figures("liquidation_levels", columns.liquidation_levels, ("ts", "model", *BIN, "leverage"), ("parameters",), END),
    Figures("liquidation_map", maps.liquidation_map, (*BIN, "leverage")),
    Figures("liquidation_heatmap", maps.liquidation_heatmap, ("ts", *BIN), instants=END),
    Figures("liquidation_clusters", maps.liquidation_clusters, CLUSTER),
    Figures("liquidation_max_pain", maps.liquidation_max_pain, ("base", "range_pct")),
    Figures("levels_score", scores.levels_score, ("base",), ("parameters",)),
    Figures("levels_score_by_venue", scores.levels_score_by_venue, ("base", "venue"), ("parameters",)),
    Figures("levels_model(as_of())", scores.levels_model, ("base", "venue")),
    Figures("levels_reach(as_of())", reach.rows, ("base",)),
    Figures("levels_swept(as_of())", reach.swept, (*BIN, "leverage"), ("parameters",)),
    Figures("levels_at(as_of())", maps.levels_at, BIN),
    Figures("clusters_at(as_of())", maps.clusters_at, CLUSTER),
]


def _at_the_hour(figures: Callable[[Facts, int], Rows]) -> Callable[[Facts, int], Rows]:
    return lambda facts, now: figures(facts, signals.hour_of(now))


SIDE = ("base", "position_side")
VERSION = ("thresholds_version",)
SIGNALS = [
    Figures(
        "signal_thresholds", thresholds.signal_thresholds, ("signal", "position_side", "name"), ("version", "meaning"), END
    ),
    Figures("coin_prices_at(signals_hour())", _at_the_hour(ingredients.coin_prices_at), ("base",)),
    Figures("zones_at(signals_hour())", _at_the_hour(ingredients.zones_at), (*CLUSTER, "state")),
    Figures("signal_ingredients(signals_hour())", _at_the_hour(ingredients.signal_ingredients), SIDE, instants=AFTERMATH + END),
    Figures("signals_at(signals_hour())", _at_the_hour(signals.signals_at), ("signal", *SIDE), VERSION),
    *(
        Figures(name, partial(signals.view, signal=name), SIDE, VERSION, AFTERMATH)
        for name in signals.SHOWN
    ),
    Figures("signals_current", signals.signals_current, ("signal", *SIDE), VERSION, AFTERMATH),
    Figures("support_resistance", signals.support_resistance, (*CLUSTER, "state"), VERSION, AFTERMATH),
    Figures("signals_history", signals.signals_history, ("ts", "signal", *SIDE), VERSION),
    Figures("signals_outcome", signals.signals_outcome, ("signal", *SIDE, "hours"), VERSION),
]  # fmt: skip

DERIVED = [*CASCADES, *LEVELS, *SIGNALS]
