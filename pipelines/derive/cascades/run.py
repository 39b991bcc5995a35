"""`detect`: find the cascades of a stretch of time and make the table `cascades` hold exactly them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from pipelines.derive.cascades.estimate import branching
from pipelines.derive.cascades.find import FOUND, contents, peaks
from pipelines.derive.cascades.prices import prices
from pipelines.derive.cascades.read import Window, close, sessions
from pipelines.derive.cascades.rules import RULE, SCOPES, Rule, Scope, keep
from warehouse.lake import Lake, quoted
from warehouse.tables import TABLES
from warehouse.writer import replace

TABLE = TABLES["cascades"]
PIECE = timedelta(hours=6)
NEAR = timedelta(days=1)
AGAIN = timedelta(days=30)  # so far back views of cascades go
OLD = "SELECT min(ts_start) FROM cascades WHERE ts_start >= ? HAVING bool_and(rule_version <> ?)"
AT_ONCE = """
WITH seen AS (
    SELECT cascade_id, base, ts_start, ts_end + to_microseconds($gap_us) AS ts_over FROM liq_cascade_all
), counted AS (
    SELECT c.cascade_id, p.ts_start, count(DISTINCT o.base) AS coins
    FROM seen AS c
    JOIN seen AS p ON p.ts_start BETWEEN c.ts_start AND c.ts_over
    JOIN seen AS o ON p.ts_start BETWEEN o.ts_start AND o.ts_over
    GROUP BY ALL
)
SELECT cascade_id, max(coins) AS coins_at_once FROM counted GROUP BY ALL
"""


class Done(NamedTuple):
    """Cascades that begin in or touch what was looked at, and of the stored rows how many went, came, and stayed."""

    found: int = 0
    gone: int = 0
    stored: int = 0
    kept: int = 0

    def plus(self, other: "Done") -> "Done":
        """Return the sums."""
        return Done(*(one + two for one, two in zip(self, other, strict=True)))


def detect(
    warehouse: Lake, since: datetime, until: datetime, now: datetime, rule: Rule = RULE,
    scopes: Sequence[Scope] = SCOPES, tell: Callable[[timedelta], object] = lambda _: None,
) -> Done:  # fmt: skip
    """Make the table `cascades` hold what the liquidations in [since, until) (UTC) say, as known at `now`.

    A cascade over an edge is found whole: as much around the window is read as it takes. Rows that are right stay, so
    running it twice changes nothing, and so does cutting the time into other windows. `tell` gets the time done.
    Raises UsageError for an empty window or a rule stored with other numbers.
    """
    keep(warehouse, rule)
    done = Done()
    for window in _pieces(since, min(until, now), now):
        for scope in scopes:
            done = done.plus(_detect(warehouse, window, scope, rule))
        tell(window.until - window.since)
    return done


def old_since(warehouse: Lake, now: datetime, rule: Rule) -> datetime | None:
    """Return from when on cascades of the last 30 days are to be found by `rule`: all that are stored are of others."""
    row = warehouse.connection.execute(OLD, [now - AGAIN, rule.rule_version]).fetchone()
    return row[0] if row else None


def _pieces(since: datetime, until: datetime, now: datetime) -> Iterator[Window]:
    while since < until:
        yield Window(since, min(since + PIECE, until), now)
        since += PIECE


def _detect(warehouse: Lake, window: Window, scope: Scope, rule: Rule) -> Done:
    stored = _stored(warehouse, window, scope, rule)
    try:
        while True:
            touching = sessions(warehouse, window, scope, rule)
            old = _touched(stored, touching, window)
            wider = _around(window, old, touching)
            if wider == window:
                break
            window = wider
            stored = _stored(warehouse, window, scope, rule)
        found = _described(warehouse, peaks(warehouse, touching, scope, rule), stored, window, scope, rule)
    finally:
        close(warehouse)
    others = stored.join(old, on="cascade_id", how="anti")
    everything = pl.concat([found, _near(others, pl.concat([found, old]), rule)])
    return _store(warehouse, stored, old, _together(warehouse, everything, rule), found.height)


def _stored(warehouse: Lake, window: Window, scope: Scope, rule: Rule) -> pl.DataFrame:
    rows = warehouse.connection.execute(
        "FROM cascades WHERE ts_start >= ? AND ts_start <= ? AND rule_version = ? AND scope = ?",
        [window.since - NEAR, window.until + NEAR, rule.rule_version, scope],
    )
    return pl.DataFrame(rows.to_arrow_table(), schema=TABLE.schema)


def _extents(touching: pl.DataFrame) -> pl.DataFrame:
    return touching.group_by("base").agg(pl.col("first").min(), pl.col("last").max())


def _touched(stored: pl.DataFrame, touching: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Return the stored cascades that lie in the window or where the sessions of their coin that touch it lie."""
    known = stored.join(_extents(touching), on="base", how="left", maintain_order="left")
    since, until = pl.min_horizontal("first", pl.lit(window.since)), pl.max_horizontal("last", pl.lit(window.until))
    return known.filter(pl.col("ts_end") >= since, pl.col("ts_start") <= until).drop("first", "last")


def _around(window: Window, old: pl.DataFrame, touching: pl.DataFrame) -> Window:
    """Return the window, made wider where a stored cascade that goes sticks out of what takes its place."""
    known = old.join(_extents(touching), on="base", how="left")
    out = known.filter(
        (pl.col("ts_start") < pl.min_horizontal("first", pl.lit(window.since)))
        | (pl.col("ts_end") > pl.max_horizontal("last", pl.lit(window.until)))
    )
    if out.is_empty():
        return window
    since, until = out["ts_start"].min(), out["ts_end"].max()
    assert isinstance(since, datetime)
    assert isinstance(until, datetime)
    return Window(min(window.since, since), max(window.until, until), window.now)


def _described(
    warehouse: Lake, found: pl.DataFrame, stored: pl.DataFrame, window: Window, scope: Scope, rule: Rule
) -> pl.DataFrame:
    """Return the rows of the table for these stretches, those that the rule keeps."""
    if not found.is_empty():
        with _Registered(warehouse, FOUND, found):
            found = contents(warehouse, found, scope, rule)
    if found.is_empty():
        return TABLE.schema.to_frame()
    with _Registered(warehouse, FOUND, found):
        priced = prices(warehouse, found)
        branched = branching(warehouse, found, stored, window.now, rule)
    whole = (
        found.join(priced, on="cascade_id", how="left", maintain_order="left")
        .join(branched, on="cascade_id", how="left", maintain_order="left")
        .with_columns(
            rule_version=pl.lit(rule.rule_version),
            scope=pl.lit(scope),
            closed=pl.col("ts_end") + rule.gap < pl.lit(window.now),
            coins_at_once=pl.lit(None, pl.Int64),
            market_wide=pl.lit(None, pl.Boolean),
        )
    )
    return whole.select(pl.col(name).cast(kind) for name, kind in TABLE.schema.items())


def _near(others: pl.DataFrame, changed: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Return those of `others` that may be at one time with what changed."""
    if changed.is_empty():
        return others.clear()
    since, until = changed["ts_start"].min(), changed["ts_end"].max()
    return others.filter(pl.col("ts_end") + rule.gap >= pl.lit(since), pl.col("ts_start") - rule.gap <= pl.lit(until))


def _together(warehouse: Lake, rows: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Return `rows` with how many coins were in a cascade at once; two are, less than gap_s after one's end too."""
    with _Registered(warehouse, "liq_cascade_all", rows):
        gap = {"gap_us": int(rule.gap_s * 1_000_000)}
        counted = pl.DataFrame(warehouse.connection.execute(AT_ONCE, gap).to_arrow_table())
    joined = rows.drop("coins_at_once").join(counted, on="cascade_id", how="left", maintain_order="left")
    wide = pl.col("coins_at_once") >= rule.market_wide_coins
    return joined.with_columns(market_wide=wide).select(pl.col(name).cast(kind) for name, kind in TABLE.schema.items())


def _store(warehouse: Lake, stored: pl.DataFrame, old: pl.DataFrame, rows: pl.DataFrame, found: int) -> Done:
    """Replace what is stored otherwise than in `rows`, or is in `old` and not in `rows`; leave what is right."""
    names = TABLE.schema.names()
    new = rows.join(stored, on=names, how="anti", nulls_equal=True, maintain_order="left")
    gone = pl.concat([old, stored.join(rows, on="cascade_id", how="semi")]).unique("cascade_id")
    gone = gone.join(rows, on=names, how="anti", nulls_equal=True)
    if gone.is_empty() and new.is_empty():
        return Done(found, 0, 0, rows.height)
    replace(warehouse, TABLE.name, new.sort("ts_start", "base"), _these(gone))
    return Done(found, gone.height, new.height, rows.height - new.height)


def _these(gone: pl.DataFrame) -> str:
    if gone.is_empty():
        return "FALSE"
    names = ", ".join(quoted(name) for name in gone["cascade_id"])
    first, last = (quoted(str(moment)) for moment in (gone["ts_start"].min(), gone["ts_start"].max()))
    return f"ts_start BETWEEN TIMESTAMP {first} AND TIMESTAMP {last} AND cascade_id IN ({names})"


class _Registered:
    """A frame that SQL can read under a name while the block runs."""

    def __init__(self, warehouse: Lake, name: str, frame: pl.DataFrame) -> None:
        self._connection, self._name, self._frame = warehouse.connection, name, frame

    def __enter__(self) -> None:
        self._connection.register(self._name, self._frame.to_arrow())

    def __exit__(self, *_: object) -> None:
        self._connection.unregister(self._name)
