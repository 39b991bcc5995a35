"""A position, answered for the page and for agents as `liq position` answers it."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, cast

import msgspec

from pipelines.errors import InvalidPositionError, UsageError
from pipelines.position.answer import Changes, answer, as_data
from pipelines.position.contracts import Named, named
from pipelines.position.given import from_package
from pipelines.position.market import Market, market
from pipelines.position.positions import Position, isolated
from pipelines.position.tiers import TierTable, flat
from pipelines.serve.given import bad, short
from pipelines.serve.problems import ProblemError
from pipelines.venues import VENUES
from warehouse.lake import Lake

KNOWN = (
    "side",
    "contract",
    "venue",
    "entry",
    "size",
    "leverage",
    "margin",
    "mmr",
    "add_margin",
    "close",
    "hold_hours",
    "stop",
    "as_of",
)


def position(lake: Lake, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the liquidation price, the distance, what changes would do, the clusters in between and a stop outside them.

    The connection's as_of is set. Raises ProblemError (400) for a position that cannot be, and says why.
    """
    for name in ("side", "contract", "venue", "entry", "size"):
        if not given.get(name):
            raise bad(f"{name} is needed")
    if given["side"] not in ("long", "short"):
        raise bad("side is long or short")
    try:
        meant = named(given["contract"], given["venue"], lake)
        known = market(lake, meant)
        changes = Changes(*(_number(given, name) for name in ("add_margin", "close", "hold_hours")))
        found = answer(
            _held(meant, given), _table(meant, known, given), changes, known.mark, known.funding, known.clusters,
            _number(given, "stop"), 0.15, known.stale,
        )  # fmt: skip
    except (UsageError, InvalidPositionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    told = found._replace(sources=known.sources, notes=(*found.notes, *known.missing))
    data = {
        "venue": meant.venue,
        "symbol": meant.symbol,
        "instrument": meant.instrument,
        "base": meant.base,
        "settle": meant.settle,
    }
    return data | cast(dict[str, Any], msgspec.to_builtins(as_data(told)))


def _held(meant: Named, given: Mapping[str, str]) -> Position:
    side = cast(Literal["long", "short"], given["side"])
    entry, size = _needed(given, "entry"), _needed(given, "size")
    leverage, margin = _number(given, "leverage"), _number(given, "margin")
    of_entry = meant.venue in VENUES and meant.contract in VENUES[meant.venue].entry_based
    at: Literal["mark", "entry"] = "entry" if of_entry else "mark"
    if margin is not None:
        return Position(side, meant.contract, entry, size, margin, leverage, "isolated", 0.0, at)
    if leverage is None:
        raise bad("leverage or margin is needed")
    return isolated(side, meant.contract, entry, size, leverage, 0.0, at)


def _table(meant: Named, known: Market, given: Mapping[str, str]) -> TierTable:
    if (rate := _number(given, "mmr")) is not None:
        return flat(rate)
    if known.tiers is not None:
        return known.tiers
    if found := from_package(meant):
        return found[0]
    raise bad(f"no margin table of {meant.instrument} at {meant.venue} is known: give its maintenance margin rate")


def _needed(given: Mapping[str, str], name: str) -> float:
    found = _number(given, name)
    if found is None:
        raise bad(f"{name} is needed")
    return found


def _number(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise bad(f"{name} is a number, not {short(text)!r}")
    return found
