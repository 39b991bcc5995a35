"""`refresh`: a map of now, made of what is there. `moved`: whether the market has gone so far that one is needed at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from pipelines.derive.levels import bars as source
from pipelines.derive.levels.estimate import Estimated, estimate
from pipelines.derive.levels.parameters import PARAMETERS, Parameters
from warehouse.lake import Lake

SETTLED = timedelta(minutes=2)  # the candles and open interest of the minutes before are in the lake by then
LOOKED_BACK = timedelta(hours=1)
MOVED = """
WITH limits AS (
    SELECT max(value) FILTER (name = 'moved') AS moved, max(value) FILTER (name = 'large_coin') AS large_coin FROM levels_limits
)
SELECT r.base FROM levels_reach(as_of(), max_age_hours := 48) AS r
JOIN (
    SELECT ts, base, sum(usd_estimated) / sum(sum(usd_estimated)) OVER (PARTITION BY ts) AS share FROM liquidation_levels
    WHERE ts > as_of() - INTERVAL 48 HOURS AND ts <= as_of() AND coalesce(model, 'oi') = 'oi'
    GROUP BY ts, base
) AS l ON r.base = l.base AND r.ts = l.ts, limits AS m
WHERE greatest(1 - r.low / r.price_then, r.high / r.price_then - 1) >= m.moved AND l.share >= m.large_coin
ORDER BY r.base
"""


def refresh(
    lake: Lake, now: datetime, since: datetime | None = None, tell: Callable[[datetime], object] = lambda _: None,
    parameters: Parameters = PARAMETERS,
) -> Estimated:  # fmt: skip
    """Bring the levels up to the last full minute before `now` (UTC) that has a price in the hour before, and return what
    was done. Where no price came for an hour, up to `now` less what takes time to arrive.

    A map is of the time of its prices: where nothing comes any more it grows old, and says so.
    """
    minute = now.replace(second=0, microsecond=0)
    last = source.last(lake, minute - LOOKED_BACK, minute)
    return estimate(lake, last or now - SETTLED, since, parameters, tell, now - SETTLED)


def moved(lake: Lake) -> list[str]:
    """Return the large coins whose price has gone so far from their map as `levels_limits` says, none where there is no map."""
    return [cast(str, base) for (base,) in lake.connection.execute(MOVED).fetchall()]
