"""Which of BitMEX' orders are open, known again out of the stored frames: a change says only what changed."""

from typing import Any

from pipelines.venues.bitmex.liquidations import DONE, OPEN, Order
from pipelines.venues.venue import Kept

LAST = f"""
WITH frames AS (
    SELECT ts_recv, TRY(decode(payload)::JSON) AS told FROM raw_frames
    WHERE venue = 'bitmex' AND channel = 'liquidation' AND transport = 'ws'
        AND ts_recv > $since AND ts_recv <= coalesce($until, TIMESTAMP 'infinity')
), changes AS (
    SELECT ts_recv, told ->> 'action' AS action, unnest(from_json(told -> 'data', '["JSON"]')) AS change FROM frames
    WHERE told IS NOT NULL AND json_type(told -> 'data') = 'ARRAY'
), orders AS (
    SELECT
        change ->> 'orderID' AS id,
        any_value(change ->> 'symbol') AS symbol,
        any_value(change ->> 'side') AS side,
        arg_min(TRY_CAST(change ->> 'price' AS DOUBLE), ts_recv) AS price,
        max(TRY_CAST(change ->> 'leavesQty' AS DOUBLE)) AS largest,
        epoch_ms(min(ts_recv)) AS since_ms,
        bool_or(action = 'delete') AS is_over
    FROM changes GROUP BY ALL
)
SELECT CASE WHEN is_over THEN '{DONE}' ELSE '{OPEN}' END, id, symbol, side, price, largest, since_ms, is_over FROM orders
WHERE id IS NOT NULL AND (is_over OR (side IN ('Buy', 'Sell') AND price > 0 AND largest > 0))
"""

NEWEST = "SELECT max(ts_recv) FROM raw_frames WHERE venue = 'bitmex' AND channel = 'liquidation'"


def _state(_id: str, symbol: str, side: str, price: float, largest: float, since_ms: int, is_over: bool) -> Any:
    return since_ms if is_over else Order(symbol, side, price, largest, since_ms)


ORDERS = Kept(LAST, NEWEST, _state)
