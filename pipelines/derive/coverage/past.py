"""What liquidation channels sent, and how prices moved, read from the lake, by minutes from a common start."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from pipelines.derive.coverage.expectation import DAY, HOUR, Move, Numbers, Span
from pipelines.derive.coverage.silence_rules import Rule
from pipelines.venues import PUSHED
from warehouse.lake import Lake

LOOKED_AT = 6 * 60
"""How many of a silence's first minutes prices are checked in."""

COIN = "(hash(coalesce(base, symbol)) >> 33)::INTEGER"
"""The type of a coin's number; the names of millions of rows would take too much memory."""
CELLS = f"""
WITH cells AS (
    SELECT DISTINCT venue, completeness, {COIN} AS coin,
        ((epoch_us(ts_event) - epoch_us($since::TIMESTAMP)) // 60000000)::INTEGER AS minute
    FROM liquidations
    WHERE ts_event >= $since AND ts_event < $until AND source = 'live'
)
SELECT DISTINCT feed, coin, minute FROM cells JOIN rules USING (venue, completeness)
"""
MOVES = f"""
WITH prices AS (
    SELECT coalesce(base, symbol) AS coin, {COIN} AS number, venue, symbol,
        date_diff('minute', $start::TIMESTAMP, ts_event) AS at,
        max_by(mark_price, ts_event) AS price
    FROM mark_prices
    WHERE ts >= $since AND ts <= $until::TIMESTAMP + INTERVAL 5 MINUTES AND ts_event >= $since AND ts_event < $until
        AND mark_price > 0 AND {COIN} IN (SELECT unnest($coins))
    GROUP BY ALL
), moving AS (
    SELECT venue, symbol FROM prices GROUP BY ALL HAVING max(price) >= min(price) * (1 + $move)
)
SELECT later.coin, later.number, max(earlier.at) AS since, later.at AS at
FROM prices AS later SEMI JOIN moving USING (venue, symbol)
JOIN prices AS earlier ON later.venue = earlier.venue AND later.symbol = earlier.symbol
    AND earlier.at >= later.at - $minutes AND earlier.at < later.at
WHERE later.at >= $first AND greatest(later.price / earlier.price, earlier.price / later.price) >= 1 + $move
GROUP BY ALL
"""


class Cells:
    """Which coins had a liquidation in which minute, by venue and channel; of `length` minutes from `start`, a midnight UTC."""

    def __init__(self, lake: Lake, start: datetime, length: int) -> None:
        self.start, self.length = start, length
        self._feeds = {
            key: number for number, key in enumerate(sorted({(rule.venue, rule.channel) for rule in PUSHED}))
        }
        rules = {(rule.venue, rule.completeness, self._feeds[rule.venue, rule.channel]) for rule in PUSHED}
        lake.connection.register(
            "rules", pl.DataFrame(sorted(rules), ["venue", "completeness", "feed"], orient="row").to_arrow()
        )
        try:
            span = {"since": start, "until": start + timedelta(minutes=length)}
            found = lake.connection.execute(CELLS, span).pl()
        finally:
            lake.connection.unregister("rules")
        self._of = {feed: cells for (feed,), cells in found.partition_by("feed", as_dict=True).items()}

    def _cells(self, venue: str, channel: str) -> pl.DataFrame | None:
        return self._of.get(self._feeds.get((venue, channel)))

    def brought(self, venue: str, channel: str, coins: Collection[int] = ()) -> Numbers:
        """Return how many coins had a liquidation in each minute; of some coins, where any are named."""
        if (cells := self._cells(venue, channel)) is None:
            return np.zeros(self.length)
        if coins:
            cells = cells.filter(pl.col("coin").is_in(list(coins)))
        return np.bincount(cells["minute"].to_numpy(), minlength=self.length)[: self.length].astype(float)

    def days(self, venue: str, channel: str, until: int, days: int) -> dict[int, float]:
        """Return the minutes with a liquidation a day of each coin, in the `days` whole days before the day of `until`."""
        midnight = until // DAY * DAY
        since = max(0, midnight - days * DAY)
        if (cells := self._cells(venue, channel)) is None or midnight == since:
            return {}
        counts = cells.filter(pl.col("minute").is_between(since, midnight, closed="left"))["coin"].value_counts()
        return {coin: count * DAY / (midnight - since) for coin, count in counts.iter_rows()}

    @property
    def coins(self) -> set[int]:
        """All coins with a liquidation anywhere."""
        return {coin for cells in self._of.values() for coin in cells["coin"].unique().to_list()}


class Prices:
    """When the price of which coin moved as much as the rule asks about; read by the hour, as silences ask for it."""

    def __init__(self, lake: Lake, start: datetime, coins: Collection[int], rule: Rule) -> None:
        self._lake, self._start, self._coins, self._rule = lake, start, sorted(coins), rule
        self._hours: dict[int, list[tuple[str, int, int, int]]] = {}

    def moves(self, span: Span, a_day: Mapping[int, float]) -> Iterable[Move]:
        """Yield the moves within a silence of coins with so many minutes with a liquidation `a_day`."""
        until = min(span[1], span[0] + LOOKED_AT)
        for hour in range(span[0] // HOUR, (until - 1) // HOUR + 1) if a_day else ():
            if hour not in self._hours:
                self._hours[hour] = self._read(hour)
            for coin, number, since, at in self._hours[hour]:
                if number in a_day and span[0] <= since and at < until:
                    part = a_day[number] / (a_day[number] + self._rule.price_half)
                    yield Move(coin, since, at, self._rule.price_minutes * part)

    def _read(self, hour: int) -> list[tuple[str, int, int, int]]:
        first = self._start + timedelta(hours=hour)
        since, until = first - timedelta(minutes=self._rule.price_minutes), first + timedelta(hours=1)
        told = {"start": self._start, "since": since, "until": until, "first": hour * HOUR, "coins": self._coins}
        rule = {"move": self._rule.price_move, "minutes": self._rule.price_minutes}
        return self._lake.connection.execute(MOVES, {**told, **rule}).fetchall()
