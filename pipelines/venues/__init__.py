"""The venues whose frames the pipelines read. To add one: its folder, its name here, a folder of frames in tests/frames."""

from functools import lru_cache
from importlib import import_module

from pipelines.venues.bulk import Bulk
from pipelines.venues.latest import Latest
from pipelines.venues.venue import Named, Venue, find
from pipelines.venues.wire import Held, Parser

__all__ = ["BULKS", "HEARD", "LATEST", "PUSHED", "RULES", "VENUES", "Held", "Named", "Parser", "Venue", "parser_of"]

NAMES = (
    "binance",
    "bybit",
    "okx",
    "gateio",
    "bitget",
    "htx",
    "bitmex",
    "kraken",
    "bitfinex",
    "deribit",
    "dydx",
    "aster",
    "coinex",
    "kucoin",
    "cryptocom",
    "hyperliquid",
    "lighter",
)
OF_FILES = ("aggregated",)
"""What is imported alone: nobody listens to it."""

VENUES: dict[str, Venue] = {name: import_module(f"pipelines.venues.{name}").VENUE for name in (*NAMES, *OF_FILES)}
HEARD: dict[str, Venue] = {name: VENUES[name] for name in NAMES}

BULKS: dict[tuple[str, str, str], Bulk] = {
    (venue.name, *channel): bulk for venue in VENUES.values() for channel, bulk in venue.bulks.items()
}
"""What reads many frames of a channel at once, by venue, transport and channel; it says what the channel's parser says."""

LATEST: dict[tuple[str, str, str], Latest] = {
    (venue.name, *channel): latest for venue in VENUES.values() for channel, latest in venue.latest.items()
}
"""What reads a run of a channel's frames where only the last value of each contract is wanted."""

RULES = tuple(rule for venue in VENUES.values() for rule in venue.completeness)
PUSHED = tuple(rule for rule in RULES if rule.transport != "rest")
"""Of what is listened to; what is asked for besides has no silence, and no limit of a second."""
"""What each liquidation feed carries of all liquidations, from when on."""


@lru_cache(maxsize=4096)
def parser_of(venue: str, transport: str, channel: str) -> Parser | None:
    """Return the function that reads a channel's frames, None for an unknown venue; an unknown channel is rejected by it."""
    return find(VENUES[venue], transport, channel) if venue in VENUES else None
