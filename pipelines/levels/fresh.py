"""`refresh`: a map of now, made of what is there. `moved`: whether the market has gone so far that one is needed at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from pipelines.levels import bars as source
from pipelines.levels.estimate import Estimated, estimate
from pipelines.levels.parameters import PARAMETERS, Parameters
from warehouse.lake import Lake

SETTLED = timedelta(minutes=2)  # the candles and open interest of the minutes before are in the lake by then
LOOKED_BACK = timedelta(hours=1)
MOVED = """
WITH limits AS (
    SELECT max(value) FILTER (name = 'moved') AS moved, max(value) FILTER (name = 'large_coin') AS large_coin FROM levels_limits
)
SELECT base FROM (SELECT *, usd / sum(usd) OVER () AS share FROM levels_reach(as_of(), max_age_hours := 48)), limits
WHERE greatest(1 - low / price_then, high / price_then - 1) >= moved AND share >= large_coin
ORDER BY base
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
