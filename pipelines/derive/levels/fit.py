"""Leverage weights fitted to liquidations: what each leverage alone would have had swept, against what was."""

from datetime import datetime

import polars as pl

from pipelines.derive.levels.columns import FITTED, PUBLISHED
from pipelines.derive.levels.nnls import nnls
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.replay import Judged
from warehouse.tables import TABLES

BINS = 8  # summed to one cell: exposure is entered at three prices of a bar, positions anywhere in it
MOST_LEFT = 0.95  # a fit that leaves more unexplained says nothing; without structure it leaves 0.99 and more
LEAST_MAPS = 40  # with liquidations, to fit a coin; and in which a leverage was swept, to fit its weight


def fitted(
    judged: Judged, since: datetime, until: datetime, venues: str | None, parameters: Parameters
) -> pl.DataFrame:
    """Return rows of `leverage_weights`, fitted to the maps frozen in [since, until) and valid from `until` on.

    Least squares without negative weights over cells of time, side and price, each weighted by 1 / (what the published
    weights expect in it), as the scatter of a sum of liquidations grows with the sum. The fitted weights share what the
    published ones leave to the identified leverages, so that all sum to one. A coin with liquidations in fewer than
    LEAST_MAPS maps, or whose fit leaves more than MOST_LEFT unexplained, keeps the published weights, and its rows say so.
    """
    inside = (pl.col("at") >= since) & (pl.col("at") < until)
    cells = _cells(judged.swept.filter(inside), judged.realised.filter(inside), parameters)
    rows = [
        row
        for (base,), group in sorted(cells.group_by("base"), key=lambda item: str(item[0]))
        for row in _coin(str(base), group, since, until, venues, parameters)
    ]
    return pl.DataFrame(rows, schema=TABLES["leverage_weights"].schema)


def _names(parameters: Parameters) -> list[str]:
    return [f"{leverage:g}" for leverage in parameters.leverages]


def _cells(swept: pl.DataFrame, realised: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """A row a base, map, side and group of bins: USD swept of each leverage, and `usd` that was liquidated."""
    place = ["base", "at", "long", "group"]
    group = (pl.col("offset") // BINS).alias("group")
    of = {
        name: pl.col("leverage") == leverage
        for name, leverage in zip(_names(parameters), parameters.leverages, strict=True)
    }
    left = swept.with_columns(group).group_by(place).agg(
        **{name: pl.col("usd").filter(one).sum() for name, one in of.items()}
    )  # fmt: skip
    right = realised.with_columns(group).group_by(place).agg(pl.col("usd").sum())
    return left.join(right, on=place, how="full", coalesce=True).fill_null(0.0).sort(place)


def _coin(
    base: str, cells: pl.DataFrame, since: datetime, until: datetime, venues: str | None, parameters: Parameters
) -> list[dict[str, object]]:
    names, published = _names(parameters), parameters.weights
    expected = pl.sum_horizontal(pl.col(name) * weight for name, weight in zip(names, published, strict=True))
    floor = cells.select(expected.alias("e"))["e"]
    least = float(floor.filter(floor > 0).quantile(0.1) or 1.0) if floor.len() else 1.0
    weighed = cells.with_columns(w=1.0 / (expected + least))
    maps = [cells.filter(pl.col(name) > 0)["at"].n_unique() for name in names]
    identified = [count >= LEAST_MAPS for count in maps]
    enough = cells.filter(pl.col("usd") > 0)["at"].n_unique() >= LEAST_MAPS
    weights, residual = _solved(weighed, names, identified, published) if enough and any(identified) else (None, None)
    common = {
        "base": base, "valid_from": until, "data_since": since, "method": FITTED if weights else PUBLISHED,
        "residual": residual, "n": cells.height, "realised_usd": float(cells["usd"].sum()), "venues": venues,
        "parameters": parameters.version,
    }  # fmt: skip
    return [
        common | {"leverage": leverage, "weight": weights[i] if weights else published[i], "published": published[i],
                  "identified": bool(weights) and identified[i]}
        for i, leverage in enumerate(parameters.leverages)
    ]  # fmt: skip


def _solved(
    cells: pl.DataFrame, names: list[str], identified: list[bool], published: tuple[float, ...]
) -> tuple[list[float] | None, float | None]:
    """The weights of all leverages and the residual; None for weights where nothing fits."""
    used = [name for name, yes in zip(names, identified, strict=True) if yes]
    w, y = pl.col("w"), pl.col("usd")
    sums = cells.select(
        *((w * pl.col(a) * pl.col(b)).sum().alias(f"{a} {b}") for a in used for b in used),
        *((w * pl.col(a) * y).sum().alias(a) for a in used),
        (w * y * y).sum().alias("yy"),
    ).row(0, named=True)
    gram, moment = [[sums[f"{a} {b}"] for b in used] for a in used], [sums[a] for a in used]
    x = nnls(gram, moment)
    if sum(x) <= 0:
        return None, None
    size = range(len(used))
    left = (
        sums["yy"] - 2 * sum(x[i] * moment[i] for i in size) + sum(x[i] * gram[i][j] * x[j] for i in size for j in size)
    )
    free = sum(weight for weight, yes in zip(published, identified, strict=True) if yes)
    share = dict(zip(used, (value / sum(x) * free for value in x), strict=True))
    weights = [share.get(name, published[i]) for i, name in enumerate(names)]
    residual = max(left / sums["yy"], 0.0)
    return (weights, residual) if residual <= MOST_LEFT else (None, residual)
