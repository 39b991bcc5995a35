"""Cascades among the sessions that were read: where, and what is in them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import msgspec
import polars as pl

from pipelines.derive.cascades.heard import heard
from pipelines.derive.cascades.read import normal_minutes
from pipelines.derive.cascades.rules import Rule, Scope
from pipelines.derive.cascades.stretches import stretches
from pipelines.venues import RULES
from warehouse.lake import Lake

MICRO = 1_000_000
HOUR = 3600 * MICRO
FOUND = "liq_cascade_found"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
TIME = pl.Datetime("us")
PEAKS: dict[str, type[pl.DataType] | pl.DataType] = {
    "cascade_id": pl.String, "base": pl.String, "ts_start": TIME, "ts_end": TIME, "peak_second": TIME,
    "peak_second_usd": pl.Float64, "peak_minute": TIME, "peak_minute_usd": pl.Float64, "normal_minute_usd": pl.Float64,
}  # fmt: skip

INSTANTS = f"""
SELECT base, session, epoch_us(ts_event) AS us, micro_usd
FROM liq_cascade_instants SEMI JOIN {FOUND} USING (base, session) ORDER BY base, session, us
"""
BY_VENUE = f"""
SELECT c.cascade_id, r.venue, r.completeness, count(*) AS count, count(*) - count(micro_usd) AS unpriced,
       coalesce(sum(micro_usd) FILTER (position_side = 'long'), 0)::BIGINT AS long,
       coalesce(sum(micro_usd) FILTER (position_side = 'short'), 0)::BIGINT AS short,
       coalesce(sum(micro_usd), 0)::BIGINT AS micro_usd, max(micro_usd) AS largest
FROM {FOUND} AS c JOIN liq_cascade_rows AS r ON r.base = c.base AND r.ts_event BETWEEN c.ts_start AND c.ts_end
GROUP BY ALL ORDER BY ALL
"""
SATURATION = f"""
WITH seconds AS (
    SELECT DISTINCT base, venue, symbol, date_trunc('second', ts_event) AS second FROM liq_cascade_rows
    WHERE completeness NOT IN ('all', 'undocumented')
), marked AS (
    SELECT *, lag(second) OVER told IS NOT DISTINCT FROM second - INTERVAL 1 SECOND
        OR lead(second) OVER told IS NOT DISTINCT FROM second + INTERVAL 1 SECOND AS saturated
    FROM seconds WINDOW told AS (PARTITION BY base, venue, symbol ORDER BY second)
)
SELECT c.cascade_id, count(*) AS contract_seconds, count(*) FILTER (saturated) AS saturated_seconds
FROM {FOUND} AS c JOIN marked AS m
    ON m.base = c.base AND m.second BETWEEN date_trunc('second', c.ts_start) AND c.ts_end
GROUP BY ALL
"""


def peaks(warehouse: Lake, sessions: pl.DataFrame, scope: Scope, rule: Rule) -> pl.DataFrame:
    """Return the stretches above the pace in `sessions`, columns PEAKS; sorted by base and ts_start."""
    loud = sessions.filter(pl.col("micro_usd") >= int(rule.min_usd * MICRO))
    warehouse.connection.register(FOUND, loud.to_arrow())
    found = pl.DataFrame(warehouse.connection.execute(INSTANTS).to_arrow_table())
    warehouse.connection.unregister(FOUND)
    normals: dict[datetime, dict[str, float]] = {}

    def normal_at(base: str, us: int) -> float | None:
        hour = _instant(us // HOUR * HOUR)
        if hour not in normals:
            normals[hour] = normal_minutes(warehouse, hour, scope, rule)
        return normals[hour].get(base)

    rows: list[tuple[Any, ...]] = []
    for (base, _), instants in found.group_by("base", "session", maintain_order=True):
        rows += _above(instants, str(base), partial(normal_at, str(base)), scope, rule)
    return pl.DataFrame(rows, schema=PEAKS, orient="row")


def _instant(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def _above(
    instants: pl.DataFrame, base: str, normal_at: Callable[[int], float | None], scope: Scope, rule: Rule
) -> Iterator[tuple[Any, ...]]:
    times, usd = instants["us"].to_list(), instants["micro_usd"].to_list()
    for one in stretches(times, usd, lambda us: rule.floor_usd(normal_at(us)), rule.gap_s):
        normal = normal_at(one.start)
        if normal is not None and one.peak_minute_usd < rule.multiple * normal * MICRO:
            continue
        start, end, second, minute = map(_instant, (one.start, one.end, one.peak_second, one.peak_minute))
        name = f"{rule.rule_version}:{scope}:{base}:{start.isoformat(timespec='microseconds')}"
        yield (name, base, start, end, second, one.peak_second_usd / MICRO, minute, one.peak_minute_usd / MICRO, normal)


def contents(warehouse: Lake, found: pl.DataFrame, scope: Scope, rule: Rule) -> pl.DataFrame:
    """Return `found` with sides, amounts, venues, completeness and saturation; without those the rule does not keep.

    `found` must be registered in the connection as FOUND.
    """
    run = warehouse.connection.execute
    by_venue = pl.DataFrame(run(BY_VENUE).to_arrow_table())
    saturation = pl.DataFrame(run(SATURATION).to_arrow_table())
    feeds = sorted({f"{one.venue} {one.channel}" for one in RULES if scope == "all" or one.completeness == "all"})
    since, until = cast(datetime, found["ts_start"].min()), cast(datetime, found["ts_end"].max())
    coverage = heard(warehouse, FOUND, since, until, feeds)
    whole = found.join(_totals(by_venue), on="cascade_id")
    whole = whole.join(saturation, on="cascade_id", how="left").join(coverage, on="cascade_id", how="left")
    return _kept(whole, rule)


def _totals(by_venue: pl.DataFrame) -> pl.DataFrame:
    amounts = ("long", "short", "micro_usd")
    rows = by_venue.sort("cascade_id", "venue", "completeness").with_columns(
        usd=_usd("micro_usd"), usd_long=_usd("long"), usd_short=_usd("short")
    )
    totals = rows.group_by("cascade_id", maintain_order=True).agg(
        *(pl.col(name).sum() for name in (*amounts, "count", "unpriced")),
        pl.col("largest").max(),
        venues=pl.col("venue").unique().sort().str.join(", "),
        completeness=pl.col("completeness").unique().sort().str.join(", "),
        by_venue=pl.struct("venue", "completeness", "count", "usd", "usd_long", "usd_short"),
    )
    lists = [msgspec.json.encode(each).decode() for each in totals["by_venue"].to_list()]
    return totals.with_columns(by_venue=pl.Series(lists, dtype=pl.String))


def _kept(whole: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    told = pl.when(pl.col("count") >= rule.min_count).then(pl.lit("usd and count"))
    limited = pl.col("saturated_seconds") >= rule.min_saturated_seconds
    classes, throttled = pl.col("completeness"), pl.col("contract_seconds") > 0
    of_side = pl.max_horizontal("long", "short")
    return (
        whole.with_columns(pl.col("contract_seconds", "saturated_seconds").fill_null(0))
        .with_columns(
            kept_by=told.when(limited).then(pl.lit("usd and saturation")),
            position_side=pl.when(pl.col("long") >= pl.col("short")).then(pl.lit("long")).otherwise(pl.lit("short")),
            side_share=of_side / (pl.col("long") + pl.col("short")),
            usd=_usd("micro_usd"),
            usd_long=_usd("long"),
            usd_short=_usd("short"),
            largest_usd=_usd("largest"),
            multiple=pl.col("peak_minute_usd") / pl.col("normal_minute_usd"),
            saturated_share=pl.when(throttled).then(pl.col("saturated_seconds") / pl.col("contract_seconds")),
            lower_bound=pl.any_horizontal(classes != "all", pl.col("coverage_share") < 1, "suspect").fill_null(False),
        )
        .filter(pl.col("kept_by").is_not_null())
        .drop("long", "short", "micro_usd", "largest", "suspect")
    )


def _usd(column: str) -> pl.Expr:
    """Return millionths as USD. Not polars' own division by a number: its last digit depends on how many rows there are."""
    return pl.col(column).map_batches(
        lambda micro: pl.Series([one / MICRO for one in micro.to_list()], dtype=pl.Float64), pl.Float64
    )
