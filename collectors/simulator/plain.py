"""What simple simulated venues share: their host, their feed, their REST. A venue's folder adds its messages and frames."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.simulated import Feed, World

Query = Mapping[str, str]


class Pushed(NamedTuple):
    """A frame: who listens to `topic` gets it; `channel` as the collectors name it; `shows`: the liquidations in it."""

    topic: str
    channel: str
    payload: bytes
    shows: Sequence[Liquidation] = ()


class Paced(NamedTuple):
    """What is pushed every `every_ms`: `frames` of the market's time, UTC ms, of topics that somebody may listen to."""

    every_ms: int
    frames: Callable[[int], Iterable[Pushed]]


class PlainFeed(Feed):
    """Pushes liquidations with the next step, as `shown` writes them, and state at its paces.

    `shown`: of what happened since the last step, and of the time (UTC ms), the frames. `waits`: how many it keeps back.
    """

    def __init__(
        self, world: World, venue: str, protocols: Sequence[Protocol],
        shown: Callable[[Sequence[Liquidation], int], Iterable[Pushed]], state: Sequence[Paced] = (),
        waits: Callable[[], int] = lambda: 0,
    ) -> None:  # fmt: skip
        self._truth = world.truth
        self._venue = venue
        self._protocols = protocols
        self._shown = shown
        self._state = state
        self._due = [0] * len(state)
        self._waits = waits
        self._happened: list[Liquidation] = []

    @property
    def pending(self) -> int:
        """Liquidations that happened and are not shown yet."""
        return len(self._happened) + self._waits()

    def offer(self, liquidation: Liquidation) -> None:
        """Take a liquidation of this venue."""
        self._happened.append(liquidation)

    def push(self, now: int) -> None:
        """Publish what is due at `now`, market time in ms."""
        happened, self._happened = self._happened, []
        for each in self._shown(happened, now):
            self._publish(each, now)
        for n, paced in enumerate(self._state):
            if now >= self._due[n]:
                self._due[n] = now + paced.every_ms
                for each in paced.frames(now):
                    self._publish(each, now)

    def _publish(self, frame: Pushed, now: int) -> None:
        heard = sum(protocol.publish(frame.topic, frame.payload) for protocol in self._protocols)
        self._truth.wrote(self._venue, frame.channel, heard)
        for one in frame.shows:
            self._truth.show(one, now).receivers = heard


L = TypeVar("L")


class PlainProtocol(Protocol, Generic[L]):
    """A venue of one host. `known`: the topics or contracts that exist, None: any (frames are played from files); `rest`
    answers GET requests; `on_subscribed` is called with each client and each topic that it subscribes to."""

    http_kinds = ("http_429", "http_403", "http_500")

    def __init__(
        self, known: set[str] | None, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: L
    ) -> None:
        self._known = known
        self._rest = rest
        self._faults = faults
        self._limits = limits
        self.host = Host(self, faults)
        self.on_subscribed: Callable[[Client, str], None] = lambda _client, _topic: None

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def _is_refused(self, topic: str) -> bool:
        """Tell whether a fault has this topic refused, once."""
        return self._faults.take(time.monotonic(), ("refuse_topic",), self.venue, topic) is not None

    def _switch(self, client: Client, topic: str, is_on: bool) -> None:
        """Let the client hear a topic, or no longer."""
        (self.host.subscribe if is_on else self.host.unsubscribe)(client, topic)


class AnswersOnly(Protocol):
    """The host of a venue that is asked by REST alone. `refusal`: its answer over a limit, to a blocked address, when down."""

    http_kinds = PlainProtocol.http_kinds

    def __init__(
        self,
        venue: str,
        rest: Callable[[str, dict[str, str]], Answer],
        refusal: Callable[[Kind], Answer],
        faults: Faults,
    ) -> None:
        self.venue = venue
        self._rest = rest
        self._refusal = refusal
        self.host = Host(self, faults)

    def accepts(self, _path: str) -> bool:
        return False

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def misbehave(self, kind: Kind) -> Answer:
        return self._refusal(kind)

    def opened(self, client: Client) -> None: ...

    def received(self, client: Client, message: str | bytes) -> None: ...

    def check(self, client: Client, now: float) -> None: ...


def unpublished(_happened: Sequence[Liquidation], _now: int) -> Iterable[Pushed]:
    """Show nothing: of a venue that does not publish its liquidations."""
    return ()


class Endpoints:
    """REST: a function a path, within one limit of requests; beyond it, and of other paths, the venue's refusals."""

    def __init__(
        self, paths: Mapping[str, Callable[[Query], Answer]], window: Window, clock: Callable[[], float],
        refused: Answer, unknown: Answer,
    ) -> None:  # fmt: skip
        self._paths = paths
        self._window = window
        self._clock = clock
        self._refused = refused
        self._unknown = unknown

    def __call__(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a GET request."""
        if not self._window.take(self._clock()):
            return self._refused
        return self._paths[path](query) if path in self._paths else self._unknown


def by_symbol(contracts: Iterable[Contract], venue: str) -> dict[str, Contract]:
    """Return the venue's contracts by symbol."""
    return {contract.symbol: contract for contract in contracts if contract.venue == venue}
