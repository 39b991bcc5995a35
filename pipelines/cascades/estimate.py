"""The branching ratio of each cascade, shown only where it can be known: on feeds that carry all, by a model that fits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.cascades.branching import fit, worth
from pipelines.cascades.changing import changing_rate
from pipelines.cascades.rules import Rule
from warehouse.lake import Lake

SCHEMA = {
    "cascade_id": pl.String, "branching_ratio": pl.Float64, "branching_ks": pl.Float64, "branching_null_reason": pl.String
}  # fmt: skip
THROTTLED = (
    "throttled feeds are in it: they tell at most one liquidation a second and contract, so times between say nothing"
)


def branching(warehouse: Lake, found: pl.DataFrame, now: datetime, rule: Rule) -> pl.DataFrame:
    """Return the columns SCHEMA of each cascade of `found`, from the rows that `read.sessions` left in the connection."""
    rows = [
        (name, *_of(warehouse, (base, start, end), classes, now, rule))
        for name, base, start, end, classes in found.select(
            "cascade_id", "base", "ts_start", "ts_end", "completeness"
        ).iter_rows()
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _of(
    warehouse: Lake, cascade: tuple[str, datetime, datetime], classes: str, now: datetime, rule: Rule
) -> tuple[float | None, float | None, str | None]:
    base, start, end = cascade
    margin = timedelta(seconds=rule.branching_margin_s)
    if classes != "all":
        return None, None, THROTTLED
    if now < end + margin:
        return None, None, f"less than {rule.branching_margin_s:g} s have passed since it ended"
    first = start - margin
    found = warehouse.connection.execute(
        "SELECT DISTINCT epoch_us(ts_event) - epoch_us(?::TIMESTAMP) FROM liq_cascade_rows "
        "WHERE base = ? AND completeness = 'all' AND ts_event >= ? AND ts_event < ? ORDER BY 1",
        [first, base, first, end + margin],
    ).fetchall()
    seconds = [us / 1e6 for (us,) in found]
    return judged(seconds, (end + margin - first).total_seconds(), rule)


def judged(times: Sequence[float], length: float, rule: Rule) -> tuple[float | None, float | None, str | None]:
    """Return branching ratio, its residuals' distance, and why there is no ratio.

    `times`: different instants, rising, in seconds from the start of an observation of `length`. Liquidations of one instant
    are one event: which of them came first is not told.
    """
    if not rule.branching_least <= len(times) <= rule.branching_most:
        reason = f"{len(times)} different instants; between {rule.branching_least} and {rule.branching_most} are fitted"
        return None, None, reason
    found = fit(times, length)
    if found.ks > rule.branching_ks_limit:
        return None, found.ks, "the residuals of the fit are not those of the model"
    if worth(found, len(times)) <= changing_rate(times, length):
        return None, found.ks, "a rate that changes with time, with nothing set off, explains the times as well"
    return found.branching_ratio, found.ks, None
