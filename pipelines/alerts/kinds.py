"""What a rule may look for: each kind with its conditions, and how it finds what to tell."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.alerts.found import Found, Seen, Span, usd
from pipelines.serve.brief import plain
from warehouse.errors import NoWarehouseError
from warehouse.query import run

QUIET = r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"


class Rule(BaseModel):
    """What every rule has. `to`: names of [deliver.NAME], all if empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    lasts: ClassVar[bool] = True
    """Whether it is told again while it lasts; else each thing happens once."""

    name: str = Field(min_length=1, max_length=100)
    kind: str
    to: tuple[str, ...] = ()
    again: Span = Field(timedelta(hours=1), description="The same is told again no sooner")
    quiet: str = Field(
        "", pattern=rf"^({QUIET})?$", description="HH:MM-HH:MM, UTC: what is found then is told afterwards"
    )

    def find(self, _seen: Seen) -> Iterable[Found]:
        """Yield what is to be told; of no kind there is nothing. Raises WarehouseError, QueryError for what never can be."""
        return ()


class OfCoins(Rule):
    """A rule about coins. `base`: these, all if empty."""

    base: tuple[str, ...] = ()

    def _bases(self) -> dict[str, Any]:
        return {"bases": list(self.base)}


ANY = "(len($bases) = 0 OR list_contains($bases, base))"


class Cascade(OfCoins):
    """A cascade of at least `min_usd`; of `position_side` alone if given."""

    lasts: ClassVar[bool] = False
    kind: Literal["cascade"]
    min_usd: float = Field(1_000_000, ge=0)
    position_side: Literal["", "long", "short"] = ""

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each cascade that began since."""
        sql = f"""
            SELECT cascade_id, base, position_side, usd, count, ts_start, ts_end, venues, completeness, lower_bound
            FROM cascades_recent WHERE {ANY} AND usd >= $least AND ts_start >= $since AND ($side = '' OR position_side = $side)
        """
        given = self._bases() | {"least": self.min_usd, "since": seen.since, "side": self.position_side}
        for row in _rows(seen, sql, given):
            least = "at least " if row["lower_bound"] else ""
            title = f"{row['base']}: a cascade of {least}{usd(row['usd'])}, {row['position_side']}s"
            text = f"{row['count']} liquidations from {row['ts_start']} to {row['ts_end']} at {row['venues']}"
            yield Found(row["cascade_id"], title, text, row)


class Total(OfCoins):
    """More liquidated in an hour than `times` the mean hour of seven days, and at least `min_usd`."""

    kind: Literal["total"]
    times: float = Field(10, gt=0)
    min_usd: float = Field(1_000_000, ge=0)

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each coin that is over it now; none whose last week has less than a day of hours."""
        sql = f"""
            SELECT base, usd, long_share, mean_usd, usd / mean_usd AS times, usd_percentile, venues, lower_bound
            FROM liquidation_imbalance WHERE days = 7 AND hours >= 24 AND {ANY} AND base != '*'
                AND usd >= $least AND usd >= $times * mean_usd
        """
        for row in _rows(seen, sql, self._bases() | {"least": self.min_usd, "times": self.times}):
            least = "at least " if row["lower_bound"] else ""
            title = f"{row['base']}: {least}{usd(row['usd'])} liquidated in an hour"
            often = "" if row["times"] is None else f"{row['times']:.1f} times the mean hour of a week; "
            yield Found(row["base"], title, f"{often}{_share(row['long_share'])} of it longs; {row['venues']}", row)


class Funding(OfCoins):
    """Funding of a coin, weighted by open interest, of at least `rate_8h` per eight hours either way (0.001 is 0.1 %)."""

    kind: Literal["funding"]
    rate_8h: float = Field(0.001, gt=0)

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each coin that pays as much now."""
        sql = f"FROM funding_oi_weighted WHERE {ANY} AND abs(rate_8h) >= $least"
        for row in _rows(seen, sql, self._bases() | {"least": self.rate_8h}):
            who = "longs pay" if row["rate_8h"] > 0 else "shorts pay"
            title = f"{row['base']}: {who} {abs(row['rate_8h']):.3%} per eight hours"
            side = "long" if row["rate_8h"] > 0 else "short"
            yield Found(f"{row['base']} {side}", title, f"{row['rate_year']:.0%} a year; {row['venues']}", row)


class Cluster(OfCoins):
    """The price within `within` (0.01 is 1 %) of a dense cluster of estimated levels with at least `min_usd`."""

    kind: Literal["cluster"]
    within: float = Field(0.01, gt=0, le=0.2)
    min_usd: float = Field(0, ge=0)

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield the nearest such cluster of each coin and side; none of a map that is STALE."""
        sql = f"""
            SELECT base, position_side, price_low, price_high, peak_price, usd_estimated, distance, price_now, score_verdict
            FROM liquidation_clusters
            WHERE {ANY} AND abs(distance) <= $within AND usd_estimated >= $least AND freshness = 'FRESH'
            QUALIFY row_number() OVER (PARTITION BY base, position_side ORDER BY abs(distance)) = 1
        """
        for row in _rows(seen, sql, self._bases() | {"within": self.within, "least": self.min_usd}):
            far, side = f"{abs(row['distance']):.2%}", row["position_side"]
            title = f"{row['base']}: {far} from a cluster of {side}s at {row['peak_price']:g}"
            text = f"price {row['price_now']:g}, an estimate; its score: {row['score_verdict']}"
            yield Found(f"{row['base']} {row['position_side']}", title, text, row)


class Signal(OfCoins):
    """A signal that fired; `signals`: these, all if empty."""

    lasts: ClassVar[bool] = False
    kind: Literal["signal"]
    signals: tuple[str, ...] = ()

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield what fired at a full hour since."""
        sql = f"""
            SELECT ts, signal, base, position_side, expected, price, conditions, completeness, computed_ts FROM signals
            WHERE ts >= date_trunc('hour', $since) - INTERVAL 1 HOUR AND computed_ts >= $since AND {ANY}
                AND (len($signals) = 0 OR list_contains($signals, signal))
        """
        for row in _rows(seen, sql, self._bases() | {"since": seen.since, "signals": list(self.signals)}):
            title = f"{row['base']}: {row['signal']} of {row['position_side']}s, price expected {row['expected']}"
            yield Found(
                f"{row['ts']} {row['signal']} {row['base']} {row['position_side']}", title, row["conditions"], row
            )


class OfVenues(Rule):
    """A rule about feeds. `venue`: these, all if empty."""

    venue: tuple[str, ...] = ()


AT = "(len($venues) = 0 OR list_contains($venues, venue))"


class Silent(OfVenues):
    """A liquidation feed that is SILENT; with `suspect` also one that is SUSPECT."""

    kind: Literal["silent"]
    suspect: bool = False

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each such feed."""
        sql = f"FROM feed_states WHERE list_contains($states, state) AND {AT}"
        states = ["SILENT", "SUSPECT"] if self.suspect else ["SILENT"]
        for row in _rows(seen, sql, {"states": states, "venues": list(self.venue)}):
            title = f"{row['venue']}: {row['channel']} is {row['state']} since {row['since']}"
            yield Found(f"{row['venue']} {row['channel']}", title, row["reason"] or "", row)


class Gap(OfVenues):
    """A time of at least `least` in which a feed was not heard, and that is not repaired."""

    lasts: ClassVar[bool] = False
    kind: Literal["gap"]
    least: Span = timedelta(minutes=1)

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each gap that ended since, or lasts."""
        sql = f"""
            FROM feed_gaps WHERE missing_s >= $least AND NOT coalesce(repaired, false) AND {AT}
                AND (coalesce(ongoing, false) OR "end" >= $since)
        """
        given = {"least": self.least.total_seconds(), "venues": list(self.venue), "since": seen.since}
        for row in _rows(seen, sql, given):
            title = (
                f"{row['venue']}: {row['channel']} was not heard for {row['missing_s']:.0f} s from {row['start']} on"
            )
            key = f"{row['venue']} {row['channel']} {row['transport']} {row['start']}"
            yield Found(key, title, row["reason"] or "", row)


class Status(Rule):
    """What `liq status` says needs somebody; `checks`: of these checks, all if empty."""

    kind: Literal["status", "lag", "disk", "clock"]
    checks: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The checks of `liq status` that are made."""
        own = {"lag": ("lag",), "disk": ("disk", "spool"), "clock": ("clocks", "venues' clocks")}
        return self.checks or own.get(self.kind, ())

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each check that is not good; also where the warehouse cannot be read."""
        from pipelines.status.look import look

        for check in look(seen.world, self.wanted):
            if check.state == "needs you":
                row = {"subject": check.subject, "said": check.said, "mend": check.mend}
                yield Found(check.subject, f"{check.subject}: {check.said}", check.mend, row)


class Sql(Rule):
    """A query of yours: each of its rows is told. `key`: the columns that make it another one, the first if empty."""

    kind: Literal["sql"]
    query: str
    key: tuple[str, ...] = ()

    @field_validator("query")
    @classmethod
    def _is_said(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("query is empty")
        return value

    def find(self, seen: Seen) -> Iterable[Found]:
        """Yield each row."""
        for row in _rows(seen, self.query, {}):
            names = self.key or tuple(row)[:1]
            yield Found(
                " ".join(str(row.get(name)) for name in names), f"{self.name}: {_told(row)}"[:200], _told(row), row
            )


KINDS: dict[str, type[Rule]] = {
    "cascade": Cascade, "total": Total, "funding": Funding, "cluster": Cluster, "signal": Signal, "silent": Silent, "gap": Gap,
    "lag": Status, "disk": Status, "clock": Status, "status": Status, "sql": Sql,
}  # fmt: skip


def _rows(seen: Seen, sql: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    if seen.lake is None:
        raise NoWarehouseError("the warehouse cannot be read now")
    return [plain(row) for row in run(seen.lake, sql, given or None).frame().iter_rows(named=True)]


def _share(share: float | None) -> str:
    return "an unknown part" if share is None else f"{share:.0%}"


def _told(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())
