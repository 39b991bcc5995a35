"""Whether the maps come true: rank correlation of bins and of sums, mass in the top decile, calibration, beside simple rules.

Judged are the bins that the price reached while a map was frozen: of the others nothing can be known. All models and rules are
judged on the same bins.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.foretold import MAP, MODELS, NULLS
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.replay import PLACE, Judged
from warehouse.tables import TABLES

SUMMED = "window_correlation"
MEASURES = ("rank_correlation", SUMMED, "top_decile_mass")
THROTTLED = (
    "throttled: the feed leaves out liquidations where many come at once, so a bin of many looks like one of few, and USD "
    "are too low; ranks only"
)
DRAWN_HOURS, DRAWS, LEAST_GROUPS, SEED = 12, 500, 10, 1
"""The bootstrap: stretches of so many hours are drawn with replacement, so often; fewer stretches give no interval."""


class Interval(NamedTuple):
    """A figure and its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def scores(
    cells: pl.DataFrame, judged: Judged, since: datetime, until: datetime, throttled: Sequence[str], parameters: Parameters
) -> pl.DataFrame:  # fmt: skip
    """Return rows of `levels_scores` for the maps frozen in [since, until), of each coin and venue apart.

    cells: of `foretold.with_models`. throttled: venues whose feeds leave some out; their USD are only ranked. The ranks are
    those of all bins and are not drawn anew in the bootstrap.
    """
    inside = (pl.col("at") >= since) & (pl.col("at") < until)
    cells = cells.filter(inside)
    realised = judged.realised.filter(inside).join(judged.reached, on=PLACE, how="anti")
    elsewhere = {
        (base, venue): usd for base, venue, usd in realised.group_by("base", "venue").agg(pl.col("usd").sum()).rows()
    }
    rows: list[dict[str, object]] = []
    for key, group in sorted(cells.group_by("base", "venue"), key=lambda item: str(item[0])):
        base, venue = key
        group = group.sort(PLACE)
        whole = venue not in throttled
        common = {
            "base": base, "venue": venue, "since": since, "until": until, "maps": group["at"].n_unique(),
            "cells": group.height, "realised_usd": float(group["usd"].sum()), "outside_usd": float(elsewhere.get(key, 0.0)),
            "venues": venue, "completeness": "all" if whole else "throttled", "note": None if whole else THROTTLED,
            "weights_from": _joined(group, "weights_from"), "features_from": _joined(group, "features_from"),
            "parameters": parameters.version,
        }  # fmt: skip
        measured = _measured(group, MEASURES if whole else MEASURES[:2])
        calibrated = [row for model in MODELS for row in _calibration(group, model)] if whole else []
        rows += [common | row for row in [*measured, *calibrated]]
    schema = TABLES["levels_scores"].schema
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)


def _joined(group: pl.DataFrame, name: str) -> str | None:
    return " and ".join(sorted(group[name].drop_nulls().unique())) or None


def _measured(cells: pl.DataFrame, measures: Sequence[str]) -> list[dict[str, object]]:
    windows = _windows(cells)
    rows: list[dict[str, object]] = []
    for measure in measures:
        of = windows if measure == SUMMED else cells
        rows += compared(of, {name: _column(measure, name) for name in (*MODELS, *NULLS)}, measure)
    return rows


def compared(
    frame: pl.DataFrame, columns: Mapping[str, str], measure: str, hours: int = DRAWN_HOURS
) -> list[dict[str, object]]:
    """Rows of a measure: its value for every model and rule, and each model's lead over each rule and over the other.

    frame: at, usd (realised) and the columns, by name of model or rule, of what was foretold; in the order of time. With a
    column stratum, ranks (not the top decile) are those inside each.
    """
    groups = {name: _sums(frame, column, hours) for name, column in columns.items()}
    draws = _draws(len(next(iter(groups.values()))))
    drawn = {name: [_value(measure, sums, draw) for draw in draws] for name, sums in groups.items()}
    whole = {name: _value(measure, sums, range(len(sums))) for name, sums in groups.items()}
    rows: list[dict[str, object]] = [
        {"model": name, "measure": measure, **_told("", _interval(whole[name], drawn[name]))} for name in groups
    ]
    for model in MODELS:
        for over in (name for name in groups if name != model):
            lead = _minus(whole[model], whole[over])
            leads = [_minus(a, b) for a, b in zip(drawn[model], drawn[over], strict=True)]
            rows.append({"model": model, "measure": measure, "over": over, **_told("lead", _interval(lead, leads))})
    return rows


def _column(measure: str, name: str) -> str:
    if name == "distance":
        return "distance_usd"
    return f"w_{name}" if measure == SUMMED and name in ("oi", "mirrored") else name


def _windows(cells: pl.DataFrame) -> pl.DataFrame:
    """A row a map and side of which a bin was reached: what was foretold and liquidated in these bins, summed."""
    names = [_column(SUMMED, name) for name in (*MODELS, *NULLS)]
    return cells.group_by(*MAP, "long").agg(pl.col("usd", *names).sum()).sort(*MAP, "long")


def _told(name: str, found: Interval) -> dict[str, object]:
    prefix = f"{name}_" if name else ""
    return {name or "value": found.value, f"{prefix}low": found.low, f"{prefix}high": found.high}


def _ranks(cells: pl.DataFrame, name: str) -> pl.Expr:
    ranks = pl.col(name).rank() / pl.len()
    return ranks.over("stratum") if "stratum" in cells.columns else ranks


def _sums(cells: pl.DataFrame, model: str, hours: int) -> list[tuple[float, ...]]:
    """Per stretch of time: of the ranks of predicted (x) and realised (y), and of USD in the top tenth and at all."""
    last = pl.col("x") == pl.col("x").filter(pl.col("x") > 0.9 * pl.len()).min()
    ranked = cells.select(
        "at", "usd", x=pl.col(model).rank("max").cast(pl.Float64), mid=_ranks(cells, model), y=_ranks(cells, "usd")
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
        ranked.with_columns(share=inside, x=pl.col("mid"), stretch=pl.col("at").dt.truncate(f"{hours}h"))
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


def _calibration(cells: pl.DataFrame, model: str) -> list[dict[str, object]]:
    """Mean predicted and mean realised share of a map's reached bins, by tenth of predicted; maps that have both."""
    shares = cells.with_columns(
        predicted=pl.col(model) / pl.col(model).sum().over(MAP), value=pl.col("usd") / pl.col("usd").sum().over(MAP)
    ).filter(pl.col("predicted").is_finite() & pl.col("value").is_finite())  # fmt: skip
    if shares.is_empty():
        return []
    rank = (pl.col("predicted").rank("ordinal") - 1) * 10 // pl.len() + 1
    deciles = (
        shares.with_columns(decile=rank.cast(pl.Int32)).group_by("decile").agg(pl.col("predicted", "value").mean())
    )
    return [{"model": model, "measure": "calibration", **row} for row in deciles.sort("decile").iter_rows(named=True)]
