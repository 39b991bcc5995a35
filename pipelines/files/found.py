"""A file that can be imported: what it is, and its frames, each with the channel, symbol and transport that it has."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from collectors.topics import FUNDING, KLINE, LIQUIDATION, OPEN_INTEREST, RATIO, REFERENCE, TICKER
from pipelines.facts import (
    AggregatedLiquidations,
    FundingInterval,
    FundingRate,
    FundingSettlement,
    Instrument,
    Kline,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    MarkPrice,
    OpenInterest,
    Row,
)

TOPICS: tuple[tuple[tuple[type[Row], ...], str], ...] = (
    ((Liquidation, AggregatedLiquidations), LIQUIDATION),
    ((Instrument, FundingInterval, LeverageTier), REFERENCE),
    ((Kline,), KLINE),
    ((MarkPrice,), TICKER),
    ((FundingRate, FundingSettlement), FUNDING),
    ((OpenInterest,), OPEN_INTEREST),
    ((LongShortRatio,), RATIO),
)
"""The topic of a frame by what it mainly says, the first that fits."""


class Piece(NamedTuple):
    """A frame of a file. `line`: where it begins, from 1."""

    payload: bytes
    channel: str
    symbol: str
    transport: Literal["ws", "rest"]
    line: int = 1


class Found(NamedTuple):
    """A file of one venue. `what`: in words. `pieces`: yields its frames and calls what it is given with every damage."""

    path: Path
    venue: str
    what: str
    pieces: Callable[[Callable[[str], object]], Iterator[Piece]]
    warning: str = ""


def topic_of(kinds: set[type[Row]]) -> str | None:
    """Return the topic of a frame that says these kinds of facts, None where it says none."""
    return next((topic for of, topic in TOPICS if kinds.intersection(of)), None)
