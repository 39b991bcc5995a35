"""One world under test: simulated venues, proxies before them and before Kafka, and the pipeline's processes, kept running."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from collectors.ports import free_port
from collectors.simulator import Limits, Phases, Simulator
from collectors.venues.bybit.simulator import BybitLimits
from collectors.venues.known import USUAL
from tests.chaos.broker import Broker
from tests.chaos.clock import Clock
from tests.chaos.disk import Disk
from tests.chaos.faults import Where
from tests.chaos.part import Part
from tests.chaos.proxy import Proxy
from tests.chaos.sent import Sent
from warehouse import query
from warehouse.errors import NoWarehouseError, WarehouseError

COINS = ("BTC", "ETH", "XRP", "DOGE", "PEPE")
HOSTS = {"BINANCE_UM": "binance", "BINANCE_CM": "binance", "BYBIT": "bybit", "OKX": "okx"}
SETTINGS = {
    "LIQ_GRID_S": "5",
    "LIQ_COLLECT_POLL_SCALE": "0.2",
    "LIQ_COLLECT_KEEPALIVE_S": "5",
    "POLARS_MAX_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
"""Shorter paces than a user's, so that minutes show what hours would."""


class World:
    """`folder` is the world's. `collectors`: how many run side by side; `settings`: more of theirs, and of all other parts.

    `venues`: which are simulated and collected. Of the usual ones each frame is followed (`sent.py`, `reading.py`); the
    connections of the others are broken as theirs are, and what is stored of them is held against Kafka's log and the counts.
    """

    programs: tuple[str, ...] = ("collect", "ingest", "derive")
    without: Mapping[Where, str] = {}

    def __init__(
        self, folder: Path, seed: int, collectors: int = 1, trickle: float = 25.0,
        settings: Mapping[str, str] | None = None, venues: Sequence[str] = USUAL,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.venues = tuple(venues)
        self.settings = SETTINGS | dict(settings or {})
        self.sent = Sent()
        self.simulator = Simulator(
            seed=seed, coins=COINS, phases=Phases(calm_s=90, cascade_s=30, burst=1500, trickle=trickle),
            limits=Limits(bybit=BybitLimits(ticker_ms=200)), venues=self.venues,
        )  # fmt: skip
        self.names = [f"collect-{n}" for n in range(collectors)]
        self.disk = Disk(folder / "kafka" / "data")
        self.clocks = {name: Clock(folder / "clocks", name) for name in (*self.names, "ingest")}
        self.parts: dict[str, Part] = {}
        self.venue_proxies: list[Proxy] = []
        self.kafka_proxies: dict[str, Proxy] = {}
        self.broker: Broker
        self.bootstrap = ""

    async def start(self) -> None:
        """Start everything. Raises BrokerError where Kafka does not start."""
        await self.simulator.__aenter__()
        await self._start_parts()

    async def stop(self) -> None:
        """End what still runs, and leave nothing mounted."""
        await self._stop_parts()
        for proxy in (*self.venue_proxies, *self.kafka_proxies.values()):
            await proxy.stop()
        await self.simulator.__aexit__(None, None, None)
        self.disk.release()

    async def drain(self) -> dict[str, int | None]:
        """Stop the processes in the order that loses nothing, take in what Kafka holds, and return the exit codes."""
        codes = {name: await part.stop() for name, part in self.parts.items()}
        codes["drain"] = await self.ingest(self.folder)
        return {name: code for name, code in codes.items() if name != "derive"}

    async def ingest(self, data: Path) -> int:
        """Take what Kafka holds into the world of `data`, undisturbed; return the exit code."""
        env = {**os.environ, **self.settings, "LIQ_DATA": str(data), "LIQ_KAFKA_BOOTSTRAP": self.bootstrap}
        with (self.folder / "logs" / "drain.log").open("ab") as log:
            command = [sys.executable, "-m", "pipelines.ingest"]
            process = await asyncio.create_subprocess_exec(*command, env=env, stdout=log, stderr=log)
            return await process.wait()

    def pid(self, name: str) -> int | None:
        """Return the process of a part, None while it has none."""
        if name == "broker":
            return self.broker.pid
        return self.parts[name].pid if name in self.parts else None

    def signal(self, name: str, sign: signal.Signals) -> bool:
        """Send a part a signal; False where it does not run now."""
        if (pid := self.pid(name)) is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        return True

    def heal(self) -> None:
        """End every fault that lasts: those of the venues, the stopped processes, the wrong clocks, the slow disks."""
        self.simulator.heal()
        for clock in self.clocks.values():
            clock.heal()
        for name in (*self.names, *self.programs, "broker"):
            self.signal(name, signal.SIGCONT)
        if not self.disk.missing:
            self.disk.free()

    def restarts(self) -> dict[str, int]:
        """Return how often each part was started again."""
        return {"broker": self.broker.restarts} | {name: part.restarts for name, part in self.parts.items()}

    async def read(self, sql: str, folder: Path | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query on the warehouse, none where it cannot be read now."""
        with suppress(NoWarehouseError, WarehouseError):
            return (await asyncio.to_thread(query.query, sql, folder or self.folder)).to_dicts()
        return []

    async def _start_parts(self) -> None:
        listeners = {}
        for name in (*self.names, "ingest"):
            port = free_port()
            self.kafka_proxies[name] = proxy = Proxy(name, port)
            await proxy.start()
            listeners[name.replace("-", "").upper()] = (port, proxy.port)
        self.broker = Broker(self.folder, listeners)
        self.bootstrap = (await self.broker.start()).bootstrap
        for name in self.names:
            await self._part(name, [sys.executable, "-m", "liq", "collect", *self.venues], await self._venues(name))
        await self._part("ingest", [sys.executable, "-m", "pipelines.ingest", "--follow"])
        await self._part("derive", [sys.executable, "-m", "tests.chaos.derive"])

    async def _stop_parts(self) -> None:
        for part in self.parts.values():
            await part.stop()
        if hasattr(self, "broker"):
            await self.broker.stop()

    async def _part(self, name: str, command: list[str], venues: Mapping[str, str] | None = None) -> None:
        kafka = f"127.0.0.1:{self.kafka_proxies[name].port}" if name in self.kafka_proxies else self.bootstrap
        clock = self.clocks[name].env if name in self.clocks else {}
        env = {**self.settings, "LIQ_DATA": str(self.folder), "LIQ_KAFKA_BOOTSTRAP": kafka, **clock, **(venues or {})}
        self.parts[name] = part = Part(name, command, env, self.folder / "logs")
        await part.start()

    async def _venues(self, name: str) -> dict[str, str]:
        """Give a collector proxies of its own before the venues; return the settings that point it there."""
        told = {key: value for key, value in self.simulator.env().items() if key != "LIQ_SIMULATOR"}
        ports = {key: int(found[1]) for key, value in told.items() if (found := _PORT.search(value))}
        followed = {ports[f"LIQ_{host}_WS"]: venue for host, venue in HOSTS.items()}
        proxies = {
            port: Proxy(name, port, self.sent, followed[port]) if port in followed else Proxy(name, port)
            for port in set(ports.values())
        }
        for proxy in proxies.values():
            await proxy.start()
            self.venue_proxies.append(proxy)
        return told | {key: _PORT.sub(f":{proxies[port].port}", told[key], count=1) for key, port in ports.items()}


_PORT = re.compile(r"(?<=//127\.0\.0\.1):(\d+)")
