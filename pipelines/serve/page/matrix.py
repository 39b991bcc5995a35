"""Estimated levels over time as one byte a cell, so that a month of them is a few hundred kilobytes and one picture."""

from http import HTTPStatus
from typing import Any, cast

import numpy as np
import orjson
import polars as pl

from pipelines.serve.page.lately import Lately
from pipelines.serve.page.spans import Span, seconds
from pipelines.serve.problems import ProblemError
from warehouse.lake import Lake
from warehouse.query import run

MOST_ROWS = 240
STEPS = 126
"""A side's levels have so many shades: 1 to 127 for longs, 129 to 255 for shorts, 0 where nothing is estimated."""
SHORTS = 128
WITHIN = 0.15
"""Levels at most so far beyond the prices of the time are sent, a fraction."""
DEPTH = 1000.0
"""The faintest shade is this part of the strongest: what is less is not drawn."""
_NOW = """
SELECT ts, model, position_side, leverage, bin, price_low, price_high, usd_estimated AS usd, price_then, freshness, age_s,
    venues
FROM levels_swept(as_of(), max_age_hours := 48) WHERE base = $base ORDER BY position_side, bin, leverage
"""
_THEN = """
SELECT ts, position_side, bin, price_low, price_high, sum(usd_estimated) AS usd, any_value(price_now) AS price_then
FROM liquidation_levels
WHERE base = $base AND ts >= $since - INTERVAL 1 DAY AND ts <= $until AND ts IS DISTINCT FROM $newest
    AND coalesce(model, 'oi') = $model
GROUP BY ALL
"""
_SHOWN = """
SELECT (SELECT coalesce(model, 'oi') FROM levels_model(as_of()) WHERE base = $base AND rank = 1) AS model,
    (SELECT ts FROM levels_reach(as_of(), max_age_hours := 48) WHERE base = $base) AS newest
"""
_CELL = ("ts", "position_side", "bin", "price_low", "price_high", "usd", "price_then")


def matrix(lake: Lake, base: str, span: Span, lately: Lately) -> bytes:
    """Return the map of a coin: four bytes with the length of a JSON document, the document, and the cells.

    The connection's as_of is set. Cells are those of liquidation_heatmap, by column (oldest first), each from the lowest
    price bin up. The document has the columns' times (`ts`, seconds), the `edges` of the price bins (one more than bins),
    and the USD of the faintest and the strongest shade (`low`, `high`; shades between are steps of equal ratio). `now`: the
    newest column by leverage, as liquidation_map has it. Raises ProblemError where there is no map.
    """
    newest = lately.get(("levels", base), lambda: run(lake, _NOW, {"base": base}).frame())
    model, ts = _shown(lake, base, newest)
    then = run(
        lake, _THEN, {"base": base, "since": span.since, "until": span.until, "newest": ts, "model": model}
    ).frame()
    summed = newest.group_by([name for name in _CELL if name != "usd"]).agg(pl.col("usd").sum()).select(_CELL)
    found = pl.concat([then.select(_CELL), summed], how="vertical_relaxed")
    found = found.filter(pl.col("ts") >= _first(found, span))
    if found.is_empty():
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no estimated levels of {base} in this time")
    low, high = cast(tuple[float, float], (found["price_then"].min(), found["price_then"].max()))
    near = found.filter(
        (pl.col("price_high") >= low * (1 - WITHIN)) & (pl.col("price_low") <= high * (1 + WITHIN)) & (pl.col("usd") > 0)
    )  # fmt: skip
    document, cells = _drawn(near, found["ts"].unique().sort())
    head = orjson.dumps(document | {"base": base, "model": model} | _told(newest))
    return b"".join((len(head).to_bytes(4, "little"), head, cells.tobytes()))


def _shown(lake: Lake, base: str, newest: pl.DataFrame) -> tuple[str, Any]:
    """Return the model whose map is shown, and the time of the newest column, of which nothing may be left."""
    if newest.height:
        return newest["model"][0] or "oi", newest["ts"][0]
    row = run(lake, _SHOWN, {"base": base}).frame().row(0, named=True)
    return row["model"] or "oi", row["newest"]


def _told(newest: pl.DataFrame) -> dict[str, Any]:
    """Return what is said of the newest column, and its rows."""
    if newest.is_empty():
        return {"freshness": None, "age_s": None, "venues": [], "now": []}
    rows = newest.select(
        "position_side", "leverage", "bin", "price_low", "price_high", pl.col("usd").alias("usd_estimated")
    )
    return {
        "freshness": newest["freshness"][0], "age_s": newest["age_s"][0], "venues": newest["venues"][0].split(", "),
        "now": rows.to_dicts(),
    }  # fmt: skip


def _first(found: pl.DataFrame, span: Span) -> Any:
    """Return the time of the last column before the span, which stands at its start, else the start."""
    before = found.filter(pl.col("ts") <= span.since)["ts"].max()
    return before if before is not None else span.since


def _drawn(near: pl.DataFrame, times: pl.Series) -> tuple[dict[str, Any], Any]:
    if near.is_empty():
        return {"ts": [seconds(ts) for ts in times], "edges": [], "low": 0.0, "high": 0.0}, np.zeros(0, np.uint8)
    first, last = int(near["bin"].min()), int(near["bin"].max())  # type: ignore[arg-type]
    joined = -(-(last - first + 1) // MOST_ROWS)
    rows = (last - first) // joined + 1
    cells = (
        near.with_columns(row=(pl.col("bin") - first) // joined, is_short=pl.col("position_side") == "short")
        .join(pl.DataFrame({"ts": times, "place": range(len(times))}), on="ts")
        .group_by("place", "row", "is_short")
        .agg(pl.col("usd").sum(), pl.col("price_low").min(), pl.col("price_high").max())
        .sort("usd")
    )
    high = float(cells["usd"].max())  # type: ignore[arg-type]
    low = high / DEPTH
    shade = (1 + np.round(STEPS * np.log(np.maximum(cells["usd"].to_numpy(), low) / low) / np.log(DEPTH))).astype(
        np.uint8
    )
    shade = np.where(cells["usd"].to_numpy() < low, 0, shade + np.where(cells["is_short"].to_numpy(), SHORTS, 0))
    drawn = np.zeros((len(times), rows), np.uint8)
    drawn[cells["place"].to_numpy(), cells["row"].to_numpy()] = shade  # of two sides in a cell the larger one
    return {
        "ts": [seconds(ts) for ts in times],
        "edges": _edges(near, first, joined, rows),
        "low": low,
        "high": high,
    }, drawn


def _edges(near: pl.DataFrame, first: int, joined: int, rows: int) -> list[float]:
    """Return the prices between which the rows lie: bins are steps of equal ratio, whose width one bin tells."""
    one = near.row(0, named=True)
    ratio = one["price_high"] / one["price_low"]
    lowest = one["price_low"] / ratio ** (one["bin"] - first)
    return [float(f"{lowest * ratio ** (joined * row):.9g}") for row in range(rows + 1)]
