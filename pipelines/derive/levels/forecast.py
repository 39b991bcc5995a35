"""The model `reach`: USD liquidated if the price comes to a bin, as a sum of features with weights of 0 or more.

Fitted to what was liquidated in the bins that the price came to; used for later times only. The unit is `features.scale`, so
coins and venues can share weights.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.derive.levels.features import FEATURES, features, scale
from pipelines.derive.levels.nnls import nnls
from pipelines.derive.levels.parameters import Parameters
from warehouse.tables import TABLES

FITTED, POOLED, PUBLISHED = "fitted", "pooled", "published"
WORTH = 200.0  # sides of maps: so much the pooled weights count beside a coin's own
LEAST_LEVEL = 0.3  # of the mean: the scatter of a sum of liquidations grows with the sum, but not below this
ROUNDS = 20
BELIEVED = np.array([0.9 if name == "opened" else 1.0 for name in FEATURES])
"""What the model oi says must explain a tenth more than it seems to: on real data it adds noise where it adds little."""
SIDE = ["base", "venue", "at", "long"]
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Whose(NamedTuple):
    """Whose weights: of a coin at a venue, of all coins of a venue (base None), or of all (both None)."""

    base: str | None = None
    venue: str | None = None


def fitted_features(
    cells: pl.DataFrame, since: datetime, until: datetime, throttled: Sequence[str], parameters: Parameters
) -> pl.DataFrame:
    """Return rows of `levels_features`, fitted to the maps frozen in [since, until) and valid from `until` on.

    cells: reached bins, of `foretold.with_opened`. Weights of all, of each venue and of each coin at a venue, each drawn to the
    one before it by WORTH; those with liquidations in fewer than `least_maps` maps are left out. Weights of all are of feeds
    that carry every liquidation, where there are enough of these.
    """
    sides = _sides(cells.filter((pl.col("at") >= since) & (pl.col("at") < until)), parameters)
    whole = sides.filter(~pl.col("venue").is_in(list(throttled)))
    found, rows = dict[Whose, Array](), list[dict[str, object]]()
    groups: list[tuple[Whose, pl.DataFrame]] = [(Whose(), whole if _enough(whole, parameters) else sides)]
    groups += [(Whose(None, str(venue)), of) for (venue,), of in sorted(sides.group_by("venue"), key=_name)]
    groups += [(Whose(str(b), str(v)), of) for (b, v), of in sorted(sides.group_by("base", "venue"), key=_name)]
    for whose, of in groups:
        before = found.get(Whose(None, whose.venue), found.get(Whose())) if whose.base else found.get(Whose())
        weights = _weights(of, before) if _enough(of, parameters) else None
        if weights is None:
            continue
        found[whose] = weights
        common: dict[str, object] = {
            "base": whose.base, "venue": whose.venue, "valid_from": until, "data_since": since,
            "maps": of["at"].n_unique(), "realised_usd": float(of["usd"].sum()), "parameters": parameters.version,
        }  # fmt: skip
        rows += [common | {"feature": name, "weight": float(w)} for name, w in zip(FEATURES, weights, strict=True)]
    return pl.DataFrame(rows, schema=TABLES["levels_features"].schema)


def _name(item: tuple[tuple[object, ...], pl.DataFrame]) -> tuple[str, ...]:
    return tuple(str(part) for part in item[0])


def _sides(cells: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """A row a map and side: sums of the features over the bins reached, usd liquidated in them, y: usd in units of scale."""
    made = cells.with_columns(**features(parameters), y=pl.col("usd") / scale()).drop_nulls(["y", *FEATURES])
    return made.group_by(SIDE).agg(pl.col(*FEATURES, "usd", "y").sum()).sort(SIDE)


def _enough(sides: pl.DataFrame, parameters: Parameters) -> bool:
    return sides.filter(pl.col("y") > 0)["at"].n_unique() >= parameters.least_maps


def _weights(sides: pl.DataFrame, before: Array | None) -> Array | None:
    return solved(
        sides.select(FEATURES).to_numpy(), sides["y"].to_numpy(), before, WORTH if before is not None else 1.0
    )


def solved(x: Array, y: Array, before: Array | None, worth: float) -> Array | None:
    """Return the weights of 0 or more whose sums x @ weights come nearest to y, relative to their own size; None where y is 0.

    Least squares, each row weighed by 1 / (expected + LEAST_LEVEL of the mean)², again until it settles; drawn to `before`
    (None: to 0) as strongly as by `worth` rows of mean size.
    """
    level = float(y.mean()) if len(y) else 0.0
    if level <= 0:
        return None
    size = x.mean(axis=0)
    size = np.where(size > 0, size, 1.0)
    z, drawn_to = x / size, np.zeros(x.shape[1]) if before is None else before * size
    found = np.full(x.shape[1], level / x.shape[1]) if before is None else drawn_to
    held = np.eye(x.shape[1]) * worth / level**2
    best = found
    for _ in range(ROUNDS):
        found = (found + best) / 2
        w = 1 / (z @ found + LEAST_LEVEL * level) ** 2
        gram, moment = (z * w[:, None]).T @ z + held, BELIEVED * (z.T @ (w * y)) + held @ drawn_to
        best = np.array(nnls(gram.tolist(), moment.tolist()))
    return np.asarray(best / size)


def weights_for(stored: pl.DataFrame, whose: pl.DataFrame, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return base, venue, features_from, features_since and a column `w_` a feature: the weights to use at `at`.

    whose: base, venue. stored: rows of `levels_features`. Of the newest fit before `at`: the coin's own at the venue, else the
    venue's, else those of all; without a fit the published ones.
    """
    usable = stored.filter((pl.col("parameters") == parameters.version) & (pl.col("valid_from") <= at))
    own = usable.filter(pl.col("base").is_not_null())
    pooled = usable.filter(pl.col("base").is_null())
    found = whose.select("base", "venue").unique().sort("base", "venue")
    parts = [
        (own, ["base", "venue"], FITTED),
        (pooled.filter(pl.col("venue").is_not_null()), ["venue"], POOLED),
        (pooled.filter(pl.col("venue").is_null()), [], POOLED),
    ]
    left, done = found, list[pl.DataFrame]()
    for rows, by, method in parts:
        wide = _wide(rows, by).with_columns(features_from=pl.lit(method))
        joined = left.join(wide, on=by) if by else left.join(wide, how="cross")
        done.append(joined.select("base", "venue", *_NAMES, "features_from", "features_since"))
        left = left.join(joined, on=["base", "venue"], how="anti")
    plain = left.with_columns(
        *(pl.lit(w).alias(name) for name, w in zip(_NAMES, parameters.reach, strict=True)),
        features_from=pl.lit(PUBLISHED), features_since=pl.lit(None, pl.Datetime("us")),
    )  # fmt: skip
    return pl.concat([*done, plain.select("base", "venue", *_NAMES, "features_from", "features_since")])


_NAMES = [f"w_{name}" for name in FEATURES]


def _wide(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    last = pl.col("valid_from").max()
    newest = rows.filter(pl.col("valid_from") == (last.over(by) if by else last))
    named = [
        pl.col("weight").filter(pl.col("feature") == name).first().alias(f"w_{name}") for name in FEATURES
    ]  # fmt: skip
    made = newest.group_by([*by, pl.col("valid_from").alias("features_since")]).agg(named)
    return made.select(*by, *_NAMES, "features_since")


def with_reach(cells: pl.DataFrame, weights: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Add reach (USD; null where no open interest is known), features_from and features_since to rows of `described` with
    opened_usd. weights: of `weights_for`."""
    total = pl.sum_horizontal(
        expression * pl.col(f"w_{name}") for name, expression in features(parameters).items()
    )  # fmt: skip
    joined = cells.join(weights, on=["base", "venue"], how="left", maintain_order="left")
    return joined.with_columns(reach=pl.when(scale().is_not_null()).then(total * scale())).drop(_NAMES)
