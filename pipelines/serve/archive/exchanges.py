"""/v1/exchanges: what there is of each exchange, by the name that the archive gives it; of which one a contract or frame is."""

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from pipelines.serve.given import near, short
from pipelines.serve.problems import ProblemError
from pipelines.serve.standing import iso
from pipelines.venues import VENUES
from pipelines.venues.venue import Venue
from warehouse.lake import Lake
from warehouse.query import run

KEPT_S = 60.0
DATASETS = ("liquidations", "derivative_ticker")
_CHANNELS = """
    SELECT split_part(channel, '@', 1) AS channel, min(ts_recv) AS since FROM raw_frames
    WHERE venue = $venue AND transport = 'ws' AND coalesce(source, 'live') = 'live' GROUP BY ALL ORDER BY channel
"""
_CONTRACTS = """
    SELECT symbol, any_value(kind) AS kind, min(valid_from) AS since FROM instruments_as_of
    WHERE venue = $venue GROUP BY symbol ORDER BY symbol
"""


class Exchange(NamedTuple):
    """One market of a venue, as the archive names it."""

    id: str
    venue: Venue

    def has(self, symbol: str, payload: bytes = b"") -> bool:
        """Tell whether a contract, or a frame of it (symbol *: of several), is of this market."""
        return self.venue.archive_of is None or self.venue.archive_of(symbol, payload) == self.id


EXCHANGES = {name: Exchange(name, venue) for venue in VENUES.values() for name in venue.archives}


def exchange(given: str) -> Exchange:
    """Return the exchange of that name. Raises ProblemError, 404 with the nearest name."""
    if given not in EXCHANGES:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no exchange {short(given)!r}; {near(given, list(EXCHANGES))}")
    return EXCHANGES[given]


class Exchanges:
    """Looks at the frames no more often than every minute."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def all(self, lake: Lake) -> list[dict[str, Any]]:
        """Return every exchange, in short."""
        names = ("id", "name", "enabled", "availableSince", "availableChannels")
        return [
            {name: told[name] for name in names} for told in (self.details(lake, each) for each in EXCHANGES.values())
        ]

    def details(self, lake: Lake, one: Exchange) -> dict[str, Any]:
        """Return what there is of an exchange: channels whose frames are kept, each since when; contracts."""
        kept = self._kept.get(one.id)
        if kept and time.monotonic() - kept[0] < KEPT_S:
            return kept[1]
        told = _details(lake, one)
        self._kept[one.id] = time.monotonic(), told
        return told


def _details(lake: Lake, one: Exchange) -> dict[str, Any]:
    given = {"venue": one.venue.name}
    channels = {row["channel"]: row["since"] for row in _rows(lake, _CHANNELS, given)}
    since = min(channels.values(), default=None)
    symbols = [
        {"id": row["symbol"], "type": "perpetual" if row["kind"] == "perpetual" else "future", "availableSince": iso(since)}
        for row in _rows(lake, _CONTRACTS, given) if one.has(row["symbol"])
    ]  # fmt: skip
    return {
        "id": one.id,
        "name": one.id,
        "enabled": True,
        "availableSince": iso(since),
        "availableChannels": list(channels),
        "channelsSince": {name: iso(first) for name, first in channels.items()},
        "availableSymbols": symbols,
        "supportsDatasets": True,
        "datasets": {"formats": ["csv"], "symbols": [{**each, "dataTypes": list(DATASETS)} for each in symbols]},
    }


def _rows(lake: Lake, sql: str, given: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return run(lake, sql, given).frame().iter_rows(named=True)
