"""Every simulated venue on local ports, driven by one market or by frames from a folder."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from collectors.simulator import load, recordings
from collectors.simulator.contracts import COINS, Contract
from collectors.simulator.control import Control
from collectors.simulator.faults import Fault, Faults
from collectors.simulator.history import MINUTE_MS
from collectors.simulator.host import Asked, Client, Protocol, framed
from collectors.simulator.listing import listed
from collectors.simulator.market import STEP_MS, Market
from collectors.simulator.playback import Playback
from collectors.simulator.script import Phases
from collectors.simulator.simulated import Feed, Simulated, World
from collectors.simulator.truth import Truth
from collectors.simulator.twists import TWISTS
from collectors.venues.known import USUAL
from collectors.venues.simulated import SIMULATED

TICK_S = 0.02
MOST_MS_A_TICK = 20_000
Limits = dict[str, msgspec.Struct]
"""By venue: other limits and paces than the documented ones."""


class Simulator:
    """The servers, as an async context manager.

    `now`: UTC ms, the market's clock. `then`: what follows the script, calm (ordinary liquidations) or quiet (none).
    `rate`: liquidation frames a second, by venue, beside the market's, without throttle. `play`: a folder of recorded
    frames instead of the market, `play_rate` of them a second. `port_base` 0 takes free ports, else one a host and one
    more from there on. `venues`: which are served; None: the usual ones. `wait`: the script begins when the control
    port says so. `finished` is set when the script, or the folder, has come to its end.
    """

    def __init__(
        self, *, seed: int = 7, coins: Sequence[str] | None = None, phases: Phases | None = None,
        now: Callable[[], int] | None = None, then: Literal["calm", "quiet"] = "calm", limits: Limits | None = None,
        rate: Mapping[str, float] | None = None, play: Path | None = None, play_rate: float = 50.0, port_base: int = 0,
        wait: bool = False, venues: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.now = now or _wall_clock
        self._venues = {venue: SIMULATED[venue] for venue in venues or USUAL}
        self._names = {name: setting for each in self._venues.values() for name, setting in each.hosts.items()}
        self.phases = phases or Phases()
        start_ms = self.now()
        self.market = Market(
            seed, listed(coins or [coin.name for coin in COINS], start_ms, self._venues), self.phases, start_ms
        )
        if wait:
            self.market.wait()
        self.record = Truth()
        self.faults = Faults({venue: each.refusals for venue, each in self._venues.items()})
        self.finished = asyncio.Event()
        self._then = then
        self._rate = rate or {}
        self._play = play
        self._play_rate = play_rate
        self._port_base = port_base
        self._hosts: dict[str, Protocol] = {}
        self._feeds: dict[str, Feed] = {}
        self._settings: list[Callable[[], Mapping[str, str]]] = []
        self._open(seed, _whole(limits or {}, self._venues))
        self._playback = self._playback_of(play) if play is not None else None
        self._floods: dict[str, load.Frames] = {}
        self._control = Control(self)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        ports = [self._port_base and self._port_base + k for k in range(len(self._names) + 1)]
        for name, port in zip(self._names, ports, strict=False):
            await self._hosts[name].host.start(port)
        await self._control.start(ports[-1])
        self._tasks = [asyncio.create_task(job) for job in self._jobs()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._control.stop()
        for name in self._names:
            await self._hosts[name].host.stop()

    def env(self) -> dict[str, str]:
        """Return the settings that point collectors here, and LIQ_SIMULATOR for the control port."""
        at = {name: f"127.0.0.1:{self._hosts[name].host.port}" for name in self._names}
        env: dict[str, str] = {}
        for name, setting in self._names.items():
            env |= {f"LIQ_{setting}_WS": f"ws://{at[name]}", f"LIQ_{setting}_REST": f"http://{at[name]}"}
        for further in self._settings:
            env |= further()
        return env | {"LIQ_SIMULATOR": f"http://127.0.0.1:{self._control.port}"}

    def truth(self) -> dict[str, Any]:
        """Return what was published per venue, see `Truth.summary`; `pending` happened and is not shown yet."""
        summary = self.record.summary(self._venues)
        return {venue: summary[venue] | {"pending": self._pending(venue)} for venue in self._venues}

    def asked(self, host: str) -> list[Asked]:
        """Return the latest GET requests to a host, oldest first."""
        return list(self._hosts[host].host.asked)

    def state(self) -> dict[str, Any]:
        """Return phase, clock (UTC ms), connections, frames written, and answers to GET requests by status."""
        clients = {name: len(self._hosts[name].host.clients) for name in self._names}
        return {
            "phase": self.market.phase.name, "now_ms": self.market.now, "start_ms": self.market.script_ms,
            "script_ms": self.phases.length_ms, "finished": self.finished.is_set(),
            "pending": {venue: self._pending(venue) for venue in self._venues}, "clients": clients,
            "answers": {name: {str(k): n for k, n in self._hosts[name].host.statuses.items()} for name in self._names},
            "frames": self.record.frames_written(self._venues), "waiting": len(self._playback.waiting) if self._playback else 0,
        }  # fmt: skip

    def begin(self) -> None:
        """Let the script begin that waits."""
        self.market.begin()

    def quiet(self) -> None:
        """Let no further liquidation happen; everything else goes on."""
        self.market.quiet()

    def fault(self, kind: str, venue: str, **details: Any) -> int:
        """Do something wrong, see `Fault`; return how many connections it hit at once. Raises FaultError."""
        fault = self.faults.add(time.monotonic(), kind=kind, venue=venue, **details)
        hit = [
            (protocol, client)
            for protocol in self._hosts.values()
            if protocol.venue == venue
            for client in list(protocol.host.clients)
            if any(fault.hits(venue, name) for name in (client.path, *client.topics))
        ]
        if fault.kind in ("drop", "half_open"):
            hit = hit[: fault.count]
        for protocol, client in hit:
            self._hit(fault, protocol, client)
        if fault.kind == "flood":
            frames = self._floods.setdefault(fault.venue, self.liquidations(fault.venue, self.now))
            self.flood(fault.venue, frames, fault.count or 1)
        return len(hit)

    def heal(self) -> None:
        """Turn every fault off."""
        self.faults.clear()

    def tick(self, contract: Contract, changed: dict[str, str]) -> int:
        """Publish a change of a ticker beside what the market does; return to how many sockets. LookupError: see `Feed`."""
        return self._feeds[contract.venue].tick(contract, changed, self.now())

    def liquidations(self, venue: str, at: Callable[[], int]) -> load.Frames:
        """Return made-up liquidations of a venue without end, as its frames; `at`: their time, UTC ms."""
        linear = [c for c in self.market.contracts if c.venue == venue and not c.inverse]
        return self._venues[venue].made_up(linear, at)

    def flood(self, venue: str, frames: load.Frames, count: int) -> int:
        """Write so many of these frames at once, outside the market, to all who listen; return how many were written."""
        written = load.flood(self._first(venue).host, frames, count)
        self.record.load[venue] += written
        return written

    def _first(self, venue: str) -> Protocol:
        return self._hosts[next(iter(self._venues[venue].hosts))]

    def _hit(self, fault: Fault, protocol: Protocol, client: Client) -> None:
        if fault.kind == "drop":
            client.cut()
        elif fault.kind == "half_open":
            client.freeze()
        elif fault.kind in TWISTS:
            client.twists.add(fault)
        elif fault.kind == "notice":
            protocol.notice(client)
        for _ in range(fault.count or 1):
            if fault.kind == "garbage":
                payload = self.faults.garbage()
                client.write(framed(payload, binary=not payload.isascii()))
            elif fault.kind == "big_frame":
                client.send(b'{"filler":"' + b"x" * (fault.size - 13) + b'"}')

    def _open(self, seed: int, limits: Limits) -> None:
        """Make each venue's protocols, and the feeds that push the market to them."""
        world = World(self.market, self.faults, self.record, seed)
        for venue, each in self._venues.items():
            if self._play is not None:
                protocols = each.play(self._play / venue, self.faults, limits[venue])
            else:
                protocols, self._feeds[venue], settings = each.serve(world, limits[venue])
                self._settings.append(settings)
            self._hosts |= zip(each.hosts, protocols, strict=True)

    def _playback_of(self, folder: Path) -> Playback:
        readers = {venue: each.recorded for venue, each in self._venues.items()}
        return Playback(recordings.frames(folder, readers), self._hosts, self._play_rate, self.record, self.finished)

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        if self._playback is not None:
            return [self._playback.run()]
        jobs = [self._run()]
        for venue, rate in self._rate.items():
            frames = self.liquidations(venue, self.now)
            jobs.append(load.Load(venue, self._first(venue).host, frames, rate, self.record).run())
        return jobs

    async def _run(self) -> None:
        while True:
            self._tick()
            if self.market.now >= self.market.script_ms + self.phases.length_ms and not self.finished.is_set():
                if self._then == "quiet":
                    self.quiet()
                self.finished.set()
            await asyncio.sleep(TICK_S)

    def _tick(self) -> None:
        """Go on to now, with a stop at the market's first step of each minute on the way: there candles close."""
        begin = self.market.now
        until = min(self.now(), begin + MOST_MS_A_TICK)
        closes = range(begin - begin % MINUTE_MS + MINUTE_MS, until, MINUTE_MS)
        for at in (*(minute + STEP_MS - 1 for minute in closes), until):
            for liquidation in self.market.advance(at):
                self._feeds[liquidation.contract.venue].offer(liquidation)
            for feed in self._feeds.values():
                feed.push(self.market.now)

    def _pending(self, venue: str) -> int:
        return self._feeds[venue].pending if self._feeds else 0


def _whole(limits: Limits, venues: Mapping[str, Simulated[Any]]) -> Limits:
    """Return every venue's limits. Raises ValueError for a venue that is not there, or limits of another."""
    documented: Limits = {venue: each.limits for venue, each in venues.items()}
    for venue, given in limits.items():
        if type(given) is not type(documented.get(venue)):
            raise ValueError(f"{type(given).__name__} is not what {venue!r} has for limits")
    return documented | limits


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000
