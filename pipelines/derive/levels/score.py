"""Whether the maps come true: rank correlation, mass in the top decile and calibration, beside two null models.

Judged are the bins that the price reached while a map was frozen: of the others nothing can be known. All models are judged
on the same bins. uniform: the same share in every bin; mirrored: the other side's map at the same distance.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.columns import weights_at
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.replay import PLACE, Judged
from warehouse.tables import TABLES

NULLS = ("uniform", "mirrored")
MEASURES = ("rank_correlation", "top_decile_mass")
DRAWN_HOURS, DRAWS, LEAST_GROUPS, SEED = 12, 500, 10, 1
"""The bootstrap: stretches of so many hours are drawn with replacement, so often; fewer stretches give no interval."""

SUMS = ("n", "x", "xx", "y", "yy", "xy", "top", "all")


class Interval(NamedTuple):
    """A figure and its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def scores(
    judged: Judged, weights: pl.DataFrame, since: datetime, until: datetime, venues: str | None, parameters: Parameters
) -> pl.DataFrame:
    """Return rows of `levels_scores` for the maps frozen in [since, until), each with the weights known when it was frozen.

    weights: rows of `leverage_weights`. The ranks are those of all bins and are not drawn anew in the bootstrap.
    """
    inside = (pl.col("at") >= since) & (pl.col("at") < until)
    judged = Judged(*(frame.filter(inside) for frame in judged))
    cells = with_shares(judged, weights, parameters)
    outside = judged.realised.join(judged.reached, on=PLACE, how="anti").group_by("base").agg(pl.col("usd").sum())
    elsewhere = dict(outside.iter_rows())
    rows: list[dict[str, object]] = []
    for (base,), group in sorted(cells.group_by("base"), key=lambda item: str(item[0])):
        common = {
            "base": base, "since": since, "until": until, "maps": group["at"].n_unique(), "cells": group.height,
            "realised_usd": float(group["usd"].sum()), "outside_usd": float(elsewhere.get(base, 0.0)), "venues": venues,
            "weights_from": " and ".join(sorted(group["weights_from"].unique())), "parameters": parameters.version,
        }  # fmt: skip
        rows += [common | row for row in [*_measured(group), *_calibration(group)]]
    schema = TABLES["levels_scores"].schema
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)


def with_shares(judged: Judged, weights: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return the reached bins: base, at, long, offset, usd (realised), levels, uniform, mirrored (predicted shares of the
    map within the scored distance), weights_from; sorted."""
    days = judged.reached["at"].dt.truncate("1d").unique().sort().to_list()
    used = [_weights_of(judged.total, weights, day, parameters) for day in days]
    dated = pl.concat(used) if used else _weights_of(judged.total, weights, datetime.min, parameters)  # noqa: DTZ901 none at all
    by = ["base", "at", "leverage"]
    total = judged.total.join(dated, on=by).group_by("base", "at").agg(total=(pl.col("usd") * pl.col("weight")).sum())
    predicted = (
        judged.predicted.join(dated, on=by)
        .group_by(PLACE)
        .agg(*((pl.col(name) * pl.col("weight")).sum() for name in ("usd", "mirrored")), pl.col("weights_from").first())
    )
    return (
        predicted.rename({"usd": "levels"})
        .join(total.filter(pl.col("total") > 0), on=["base", "at"])
        .with_columns(pl.col("levels", "mirrored") / pl.col("total"), uniform=pl.lit(1.0))
        .join(judged.realised, on=PLACE, how="left")
        .with_columns(pl.col("usd").fill_null(0.0))
        .sort(PLACE)
    )


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


def _measured(cells: pl.DataFrame) -> list[dict[str, object]]:
    """Rows of the two measures, for levels and for each null with the lead over it."""
    groups = {model: _sums(cells, model) for model in ("levels", *NULLS)}
    draws = _draws(len(groups["levels"]))
    rows: list[dict[str, object]] = []
    for measure in MEASURES:
        drawn = {model: [_value(measure, sums, draw) for draw in draws] for model, sums in groups.items()}
        whole = {model: _value(measure, sums, range(len(sums))) for model, sums in groups.items()}
        rows.append({"model": "levels", "measure": measure, **_told("", _interval(whole["levels"], drawn["levels"]))})
        for null in NULLS:
            lead = _minus(whole["levels"], whole[null])
            leads = [_minus(a, b) for a, b in zip(drawn["levels"], drawn[null], strict=True)]
            rows.append({"model": null, "measure": measure, **_told("", _interval(whole[null], drawn[null])),
                         **_told("lead", _interval(lead, leads))})  # fmt: skip
    return rows


def _told(name: str, found: Interval) -> dict[str, object]:
    prefix = f"{name}_" if name else ""
    return {name or "value": found.value, f"{prefix}low": found.low, f"{prefix}high": found.high}


def _sums(cells: pl.DataFrame, model: str) -> list[tuple[float, ...]]:
    """SUMS per stretch of time: of the ranks of predicted (x) and realised (y), and of USD in the top tenth and at all."""
    last = pl.col("x") == pl.col("x").filter(pl.col("x") > 0.9 * pl.len()).min()
    ranked = cells.select(
        "at", "usd", x=pl.col(model).rank("max").cast(pl.Float64), mid=pl.col(model).rank() / pl.len(),
        y=pl.col("usd").rank() / pl.len(),
    )  # fmt: skip
    above = ranked["x"].filter(
        ~ranked.select(last.alias("t"))["t"].fill_null(False) & (ranked["x"] > 0.9 * ranked.height)
    )
    tied = int(ranked.select(last.fill_null(False).sum().alias("t")).item())
    room = 0.1 * ranked.height - above.len()
    inside = pl.when(last.fill_null(False)).then(room / tied if tied else 0.0).otherwise(
        (pl.col("x") > 0.9 * pl.len()).cast(pl.Float64)
    )  # fmt: skip
    stretches = (
        ranked.with_columns(share=inside, x=pl.col("mid"), stretch=pl.col("at").dt.truncate(f"{DRAWN_HOURS}h"))
        .group_by("stretch")
        .agg(
            n=pl.len().cast(pl.Float64), sx=pl.col("x").sum(), xx=(pl.col("x") ** 2).sum(), sy=pl.col("y").sum(),
            yy=(pl.col("y") ** 2).sum(), xy=(pl.col("x") * pl.col("y")).sum(), top=(pl.col("share") * pl.col("usd")).sum(),
            all=pl.col("usd").sum(),
        )
        .sort("stretch")
    )  # fmt: skip
    return list(stretches.drop("stretch").iter_rows())


def _draws(groups: int) -> list[list[int]]:
    if groups < LEAST_GROUPS:
        return []
    dice = random.Random(SEED)
    return [dice.choices(range(groups), k=groups) for _ in range(DRAWS)]


def _value(measure: str, groups: list[tuple[float, ...]], draw: Sequence[int]) -> float | None:
    n, x, xx, y, yy, xy, top, total = (sum(column) for column in zip(*(groups[i] for i in draw), strict=True))
    if measure == "top_decile_mass":
        return top / total if total > 0 else None
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    if spread_y <= 1e-9 * n:
        return None
    return 0.0 if spread_x <= 1e-9 * n else (xy - x * y / n) / (spread_x * spread_y) ** 0.5


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _interval(value: float | None, drawn: list[float | None]) -> Interval:
    found = sorted(each for each in drawn if each is not None)
    if value is None or not found:
        return Interval(value)
    return Interval(value, found[int(0.025 * (len(found) - 1))], found[round(0.975 * (len(found) - 1))])


def _calibration(cells: pl.DataFrame) -> list[dict[str, object]]:
    """Mean predicted and mean realised share of a map's reached bins, by tenth of predicted; maps that have both."""
    map_of = ["base", "at"]
    shares = cells.with_columns(
        predicted=pl.col("levels") / pl.col("levels").sum().over(map_of), value=pl.col("usd") / pl.col("usd").sum().over(map_of)
    ).filter(pl.col("predicted").is_finite() & pl.col("value").is_finite())  # fmt: skip
    if shares.is_empty():
        return []
    rank = (pl.col("predicted").rank("ordinal") - 1) * 10 // pl.len() + 1
    deciles = (
        shares.with_columns(decile=rank.cast(pl.Int32)).group_by("decile").agg(pl.col("predicted", "value").mean())
    )
    return [
        {"model": "levels", "measure": "calibration", **row} for row in deciles.sort("decile").iter_rows(named=True)
    ]
