"""The venues whose frames the pipelines read. To add one: its file, a line here, a folder of frames in tests/frames."""

from functools import lru_cache

from pipelines.venues import binance, bybit, okx
from pipelines.venues.registry import Named, Venue, find
from pipelines.venues.wire import Held, Parser

__all__ = ["VENUES", "Held", "Named", "Parser", "Venue", "parser_of"]

VENUES: dict[str, Venue] = {venue.name: venue for venue in (binance.VENUE, bybit.VENUE, okx.VENUE)}


@lru_cache(maxsize=4096)
def parser_of(venue: str, transport: str, channel: str) -> Parser | None:
    """Return the function that reads a channel's frames, None for an unknown venue; an unknown channel is rejected by it."""
    return find(VENUES[venue], transport, channel) if venue in VENUES else None
