"""What each model and each simple rule foretold of the bins that the price reached, from what was known before.

Rules (nulls), none of which knows any position: untouched, the longer the price was not in the bin the more; distance, what
earlier maps found at that distance; volume, coins traded in the bin; mirrored, the map of the model oi at the same distance on
the other side; uniform, the same in every bin.
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pipelines.derive.levels.columns import weights_at
from pipelines.derive.levels.features import untouched
from pipelines.derive.levels.forecast import weights_for, with_reach
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.replay import PLACE, Judged

MODELS = ("reach", "oi")
NULLS = ("untouched", "distance", "volume", "mirrored", "uniform")
MAP = ["base", "venue", "at"]


def with_opened(judged: Judged, weights: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return the reached bins, sorted: what was known of them, usd (realised), opened_usd and mirrored_usd (of the model `oi`,
    with the weights known at each map's time), opened_total (of the map within the scored distance), weights_from."""
    days = judged.reached["at"].dt.truncate("1d").unique().sort().to_list()
    used = [_weights_of(judged.total, weights, day, parameters) for day in days]
    dated = pl.concat(used) if used else _weights_of(judged.total, weights, datetime.min, parameters)  # noqa: DTZ901 none at all
    by = ["base", "at", "leverage"]
    usd = (pl.col("usd") * pl.col("weight")).sum()
    total = judged.total.join(dated, on=by).group_by(MAP).agg(opened_total=usd)
    predicted = judged.predicted.join(dated, on=by).group_by(PLACE).agg(
        opened_usd=usd, mirrored_usd=(pl.col("mirrored") * pl.col("weight")).sum(), weights_from=pl.col("weights_from").first()
    )  # fmt: skip
    return (
        judged.reached.join(predicted, on=PLACE)
        .join(total.filter(pl.col("opened_total") > 0), on=MAP)
        .join(judged.realised, on=PLACE, how="left")
        .with_columns(pl.col("usd").fill_null(0.0))
        .sort(PLACE)
    )


def with_models(
    cells: pl.DataFrame, fits: pl.DataFrame, ends: Sequence[datetime], parameters: Parameters
) -> pl.DataFrame:
    """Add to rows of `with_opened` what each model and rule foretold: MODELS and NULLS, of a bin only relative; and `w_oi`,
    `w_mirrored`: the same in a unit that can be summed. fits: rows of `levels_features`; ends: when rules and weights are made
    anew, from what lies before."""
    parts = []
    for start, end in zip([None, *ends], [*ends, None], strict=True):
        of = cells.filter(_from(start) & (pl.lit(True) if end is None else pl.col("at") < end))
        at = start or (of["at"].min() if of.height else None)
        if at is None or of.is_empty():
            continue
        weights = weights_for(fits, of, at, parameters)  # type: ignore[arg-type]
        earlier = cells.filter(pl.col("at") < start) if start is not None else cells.clear()
        parts.append(_with_distance(with_reach(of, weights, parameters), earlier))
    found = pl.concat(parts) if parts else _with_distance(
        with_reach(cells, weights_for(fits, cells, datetime.min, parameters), parameters), cells)  # fmt: skip # noqa: DTZ901
    return found.with_columns(
        oi=pl.col("opened_usd") / pl.col("opened_total"), mirrored=pl.col("mirrored_usd") / pl.col("opened_total"),
        untouched=untouched(), volume=pl.col("traded").round_sig_figs(9), uniform=pl.lit(1.0),
        reach=pl.col("reach").fill_null(0.0), w_oi=pl.col("opened_usd"), w_mirrored=pl.col("mirrored_usd"),
    ).sort(PLACE)  # fmt: skip


def _from(start: datetime | None) -> pl.Expr:
    return pl.lit(True) if start is None else pl.col("at") >= start


def _with_distance(cells: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Add `distance_usd`: the mean realised at the bin's distance (in powers of two of bins) in earlier maps; 0 without any."""
    ring = pl.col("offset").abs().cast(pl.Float64).log(2).floor().cast(pl.Int32).alias("ring")
    by = ["base", "venue", "ring"]
    mean = earlier.with_columns(ring).group_by(by).agg(distance_usd=pl.col("usd").mean())
    joined = cells.with_columns(ring).join(mean, on=by, how="left", maintain_order="left").drop("ring")
    return joined.with_columns(pl.col("distance_usd").fill_null(0.0))


def _weights_of(total: pl.DataFrame, weights: pl.DataFrame, day: datetime, parameters: Parameters) -> pl.DataFrame:
    """The weights in force at each map of the day: base, at, leverage, weight, weights_from."""
    maps = total.filter(pl.col("at").dt.truncate("1d") == day).select("base", "at").unique()
    parts = [
        weights_at(weights, group["base"], at, parameters).with_columns(at=pl.lit(at, pl.Datetime("us")))
        for (at,), group in maps.group_by("at")
    ]
    empty = weights_at(weights, pl.Series("base", [], pl.String), day, parameters).with_columns(
        at=pl.lit(day, pl.Datetime("us"))
    )
    return pl.concat([*parts, empty]).select("base", "at", "leverage", "weight", "weights_from")
