"""What shared code asks of a simulated venue: one record, which the venue's simulator folder fills in."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from collectors.simulator.contracts import Contract, Traded
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Protocol
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames
from collectors.simulator.market import Market
from collectors.simulator.recordings import Recorded
from collectors.simulator.truth import Truth

L = TypeVar("L", bound=msgspec.Struct)


class World(NamedTuple):
    """What a venue's servers are given: the market to show, the faults that are on, and where to note what was shown."""

    market: Market
    faults: Faults
    truth: Truth
    seed: int


class Feed(ABC):
    """Takes the liquidations of one venue, and pushes to its hosts' clients what is due."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""

    @abstractmethod
    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue."""

    @abstractmethod
    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""

    def tick(self, contract: Contract, _changed: dict[str, str], _now: int) -> int:
        """Publish a change of a ticker beside the market; return to how many. LookupError where the venue sends none."""
        raise LookupError(f"{contract.venue} sends no changes of tickers")


class Served(NamedTuple):
    """A venue's protocols, in the order of its hosts' names, and the feed that pushes to them. `settings`: further ones that
    point collectors here, as to a folder, once the hosts run."""

    hosts: Sequence[Protocol]
    feed: Feed
    settings: Callable[[], Mapping[str, str]] = dict


class Simulated(NamedTuple, Generic[L]):
    """Everything the simulator knows of a venue."""

    name: str
    hosts: Mapping[str, str]
    """Name to what its settings begin with, behind LIQ_. Made-up liquidations come from the first."""
    limits: L
    """The documented ones."""
    refusals: Sequence[Kind]
    """The faults that are answers to HTTP, see `Protocol.misbehave`."""
    contract: Callable[[Traded], Contract | None]
    """How it lists what is traded; None where it does not."""
    serve: Callable[[World, L], Served]
    """Shows the market."""
    play: Callable[[Path, Faults, L], Sequence[Protocol]]
    """Answers from the venue's folder of recorded frames."""
    made_up: Callable[[Sequence[Contract], Callable[[], int]], Frames] = lambda _contracts, _now: iter(())
    """Liquidations of these contracts without end, at the time that the clock says, UTC ms; none where none are pushed."""
    recorded: Callable[[str, bytes], Recorded | None] = lambda _file, _line: None
    """Who gets a line of a file; None where nobody does."""
    funding_hours: float = 8.0
    """How often a perpetual of BTC pays funding."""
