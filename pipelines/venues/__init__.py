"""The venues whose frames the pipelines read. To add one: its file, a line here, a folder of frames in tests/frames."""

from functools import lru_cache

from pipelines.venues import binance, bybit, okx
from pipelines.venues.binance import bulk as binance_bulk
from pipelines.venues.binance import latest as binance_latest
from pipelines.venues.bulk import Bulk
from pipelines.venues.bybit import bulk as bybit_bulk
from pipelines.venues.bybit import latest as bybit_latest
from pipelines.venues.latest import Latest
from pipelines.venues.okx import bulk as okx_bulk
from pipelines.venues.registry import Named, Venue, find
from pipelines.venues.wire import Held, Parser

__all__ = ["BULKS", "LATEST", "VENUES", "Held", "Named", "Parser", "Venue", "parser_of"]

VENUES: dict[str, Venue] = {venue.name: venue for venue in (binance.VENUE, bybit.VENUE, okx.VENUE)}

BULKS: dict[tuple[str, str, str], Bulk] = {
    ("binance", "ws", "forceOrder"): binance_bulk.LIQUIDATIONS,
    ("bybit", "ws", "allLiquidation"): bybit_bulk.LIQUIDATIONS,
    ("okx", "ws", "liquidation-orders"): okx_bulk.LIQUIDATIONS,
}
"""What reads many frames of a channel at once, by venue, transport and channel; it says what the channel's parser says."""

LATEST: dict[tuple[str, str, str], Latest] = {
    ("binance", "ws", "markPrice"): binance_latest.mark_prices,
    ("bybit", "ws", "tickers"): bybit_latest.tickers,
}
"""What reads a run of a channel's frames where only the last value of each contract is wanted."""


@lru_cache(maxsize=4096)
def parser_of(venue: str, transport: str, channel: str) -> Parser | None:
    """Return the function that reads a channel's frames, None for an unknown venue; an unknown channel is rejected by it."""
    return find(VENUES[venue], transport, channel) if venue in VENUES else None
