"""The branching ratio of each cascade, shown only where it can be known: on feeds that carry all, by a model that fits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.derive.cascades.branching import fit, worth
from pipelines.derive.cascades.changing import changing_rate
from pipelines.derive.cascades.find import FOUND
from pipelines.derive.cascades.rules import Rule
from warehouse.lake import Lake

SCHEMA = {
    "cascade_id": pl.String, "branching_instants": pl.Int64, "branching_ratio": pl.Float64, "branching_ks": pl.Float64,
    "branching_null_reason": pl.String,
}  # fmt: skip
THROTTLED = (
    "throttled feeds are in it: they tell at most one liquidation a second and contract, so times between say nothing"
)
AROUND = f"""
FROM {FOUND} AS c JOIN (SELECT DISTINCT base, ts_event FROM liq_cascade_rows WHERE completeness = 'all') AS r
    ON r.base = c.base AND r.ts_event >= c.ts_start - to_microseconds($margin_us)
    AND r.ts_event < c.ts_end + to_microseconds($margin_us)
"""
COUNTS = f"SELECT cascade_id, count(*) {AROUND} WHERE completeness = 'all' GROUP BY cascade_id"
TIMES = f"""
SELECT cascade_id, list((epoch_us(r.ts_event) - epoch_us(ts_start) + $margin_us) / 1e6 ORDER BY r.ts_event)
{AROUND} WHERE cascade_id IN (SELECT unnest($wanted)) GROUP BY cascade_id
"""
Judgement = tuple[int | None, float | None, float | None, str | None]


def branching(warehouse: Lake, found: pl.DataFrame, stored: pl.DataFrame, now: datetime, rule: Rule) -> pl.DataFrame:
    """Return the columns SCHEMA of each cascade of `found`, from the rows that `read.sessions` left in the connection.

    `found` must be registered there as FOUND. What is stored of a cascade with the same times and as many instants around it
    is taken over: fitting is most of the work.
    """
    margin = {"margin_us": int(rule.branching_margin_s * 1_000_000)}
    counts = dict(warehouse.connection.execute(COUNTS, margin).fetchall())
    known = {
        (row[0], row[1], row[2]): row[2:]
        for row in stored.select("cascade_id", "ts_end", *list(SCHEMA)[1:]).iter_rows()
        if row[2] is not None
    }
    judgements: dict[str, Judgement] = {}
    wanted: dict[str, float] = {}
    for name, start, end, classes in found.select("cascade_id", "ts_start", "ts_end", "completeness").iter_rows():
        if reason := _not_fitted(classes, end, counts.get(name, 0), now, rule):
            judgements[name] = (None, None, None, reason)
        elif same := known.get((name, end, counts[name])):
            judgements[name] = same
        else:
            wanted[name] = (end - start).total_seconds() + 2 * rule.branching_margin_s
    for name, times in warehouse.connection.execute(TIMES, margin | {"wanted": list(wanted)}).fetchall():
        judgements[name] = (len(times), *judged(times, wanted[name], rule))
    return pl.DataFrame([(name, *one) for name, one in judgements.items()], schema=SCHEMA, orient="row")


def _not_fitted(classes: str, end: datetime, instants: int, now: datetime, rule: Rule) -> str | None:
    if classes != "all":
        return THROTTLED
    if now < end + timedelta(seconds=rule.branching_margin_s):
        return f"less than {rule.branching_margin_s:g} s have passed since it ended"
    if not rule.branching_least <= instants <= rule.branching_most:
        return f"{instants} different instants; between {rule.branching_least} and {rule.branching_most} are fitted"
    return None


def judged(times: Sequence[float], length: float, rule: Rule) -> tuple[float | None, float | None, str | None]:
    """Return branching ratio, its residuals' distance, and why there is no ratio.

    `times`: different instants, rising, in seconds from the start of an observation of `length`. Liquidations of one instant
    are one event: which of them came first is not told.
    """
    found = fit(times, length)
    if found.ks > rule.branching_ks_limit:
        return None, found.ks, "the residuals of the fit are not those of the model"
    if worth(found, len(times)) <= changing_rate(times, length):
        return None, found.ks, "a rate that changes with time, with nothing set off, explains the times as well"
    return found.branching_ratio, found.ks, None
