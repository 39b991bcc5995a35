"""A seeded market on the simulators, and the foreign clients listening to it until the last liquidation has come.

The market's clock stands still until every client has subscribed, then runs `SPEED` times as fast as ours: each client
is sent the same frames in every run.
"""

import asyncio
import contextlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from collectors.simulator.contracts import Contract
from collectors.simulator.script import Phases
from collectors.simulator.simulator import Simulator
from collectors.simulator.truth import Shown
from pipelines.columns.contracts.instruments import Instruments
from tests.foreign import install
from tests.foreign.ours import book_of
from tests.foreign.sent import NOT_RECEIVED, items

HERE = Path(__file__).parent
START_MS = 1_790_000_000_000
SPEED = 4.0
COINS = ("BTC", "ETH", "XRP", "PEPE", "SOL")
PHASES = Phases(calm_s=4, cascade_s=10, aftermath_s=4, burst_s=6, burst=400, trickle=4)
READY_S, SETTLE_S = 180.0, 120.0  # only to give up; all that is waited for is a condition
HOSTS = {"um": "BINANCE_UM", "cm": "BINANCE_CM", "bybit": "BYBIT", "okx": "OKX"}
LISTS = {
    "binance": (("um", "/fapi/v1/exchangeInfo", "um_exchangeInfo"), ("cm", "/dapi/v1/exchangeInfo", "cm_exchangeInfo")),
    "bybit": tuple(("bybit", f"/v5/market/instruments-info?category={c}", "instruments-info") for c in ("linear", "inverse")),
    "okx": tuple(("okx", f"/api/v5/public/instruments?instType={kind}", "instruments") for kind in ("SWAP", "FUTURES")),
}  # fmt: skip
TARDIS = {
    "binance-futures": ("um", "/market/stream"), "binance-delivery": ("cm", "/stream"),
    "bybit linear": ("bybit", "/v5/public/linear"), "bybit inverse": ("bybit", "/v5/public/inverse"),
    "okex-swap": ("okx", "/ws/v5/public"), "okex-futures": ("okx", "/ws/v5/public"),
}  # fmt: skip
MARKETS = {"binance-futures": "um", "binance-delivery": "cm", "bybit linear": "linear", "bybit inverse": "inverse",
           "okex-swap": "SWAP", "okex-futures": "FUTURES"}  # fmt: skip


class Heard(msgspec.Struct):
    """A frame a client received and what it made of it, or an error of its own. `connection`: its process. `channel`: of
    a REST answer; `symbol`: the one contract that it was asked for."""

    frame: str = ""
    venue: str = ""
    said: list[dict[str, Any]] = []
    channel: str | None = None
    symbol: str | None = None
    error: str | None = None
    connection: str = ""


class Run(msgspec.Struct):
    """What every client heard, what the market showed, its contracts by venue and symbol, and our book of what the venues
    list."""

    heard: dict[str, list[Heard]]
    shown: list[Shown]
    contracts: dict[tuple[str, str], Contract]
    book: Instruments
    missing: dict[str, str]
    stderr: dict[str, str]


class ListenersError(Exception):
    """The clients did not all subscribe; says what they printed."""


class Clock:
    """UTC ms of the market: still until released."""

    def __init__(self) -> None:
        self._released: float | None = None

    def release(self) -> None:
        """Let it run."""
        self._released = time.monotonic()

    def __call__(self) -> int:
        ran = 0.0 if self._released is None else time.monotonic() - self._released
        return START_MS + int(ran * SPEED * 1000)


async def run() -> Run:
    """Run the market once with every client that can be had; `missing` says which cannot, and why."""
    clock, missing = Clock(), dict[str, str]()
    async with Simulator(seed=7, coins=COINS, phases=PHASES, now=clock, then="quiet") as simulator:
        commands = await asyncio.to_thread(_commands, simulator, missing)
        book = await _book(_addresses(simulator, "REST"))
        async with started(commands) as (heard, stderr):
            if not await until(lambda: _listening(simulator, set(commands)), READY_S):
                raise ListenersError(f"not every client subscribed within {READY_S:g} s; they say: {said_of(stderr)}")
            clock.release()
            await simulator.finished.wait()
            await until(lambda: not any(simulator.state()["pending"].values()), SETTLE_S)
            await until(lambda: _all_came(heard, simulator.record.rows), SETTLE_S)
        contracts = {(contract.venue, contract.symbol): contract for contract in simulator.market.contracts}
        return Run(heard, simulator.record.rows, contracts, book, missing, said_of(stderr))


def _commands(simulator: Simulator, missing: dict[str, str]) -> dict[str, list[tuple[str, list[str], dict[str, str]]]]:
    """Return per client its processes: connection, command, environment."""
    ws, rest = _addresses(simulator, "WS"), _addresses(simulator, "REST")
    found: dict[str, list[tuple[str, list[str], dict[str, str]]]] = {}
    try:
        modules = install.node_modules()
        found["tardis-dev"] = [_tardis(simulator, modules, each, ws) for each in TARDIS]
    except install.UnavailableError as error:
        missing["tardis-dev"] = str(error)
    try:
        python = str(install.python())
        addresses = [json.dumps(ws), json.dumps(rest)]
        for name, more in (("ccxt", ["binance", "bybit", "okx"]), ("cryptofeed", [])):
            script = str(HERE / f"{name}_client.py")
            found[name] = [(name, [python, "-P", script, "stream", *addresses, *more], {})]
    except install.UnavailableError as error:
        missing |= dict.fromkeys(("ccxt", "cryptofeed"), str(error))
    return found


def _tardis(
    simulator: Simulator, modules: Path, feed: str, ws: dict[str, str]
) -> tuple[str, list[str], dict[str, str]]:
    exchange, (host, path) = feed.split()[0], TARDIS[feed]
    symbols = [c.symbol for c in simulator.market.contracts if c.market == MARKETS[feed]]
    variable = f"WSS_URL_{exchange.upper().replace('-', '_')}"
    command = ["node", str(HERE / "tardis" / "tardis.js"), "stream", exchange, ",".join(symbols)]
    return feed, command, {"NODE_PATH": str(modules), variable: ws[host] + path}


def _addresses(simulator: Simulator, kind: str) -> dict[str, str]:
    env = simulator.env()
    return {host: env[f"LIQ_{name}_{kind}"] for host, name in HOSTS.items()}


async def _book(rest: dict[str, str]) -> Instruments:
    async with httpx.AsyncClient() as client:
        answers = {
            venue: [(channel, (await client.get(rest[host] + path)).content) for host, path, channel in lists]
            for venue, lists in LISTS.items()
        }
    return book_of(answers)


@asynccontextmanager
async def started(
    commands: dict[str, list[tuple[str, list[str], dict[str, str]]]],
) -> AsyncIterator[tuple[dict[str, list[Heard]], dict[str, bytearray]]]:
    """Start the clients' processes, collect what they print, end them."""
    heard: dict[str, list[Heard]] = {name: [] for name in commands}
    stderr: dict[str, bytearray] = {name: bytearray() for name in commands}
    processes, readers = [], []
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    try:
        for name, parts in commands.items():
            for connection, command, env in parts:
                process = await asyncio.create_subprocess_exec(
                    *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 24,
                    env=inherited | env,
                )  # fmt: skip
                processes.append(process)
                readers += [_collect(process.stdout, connection, heard[name]), _keep(process.stderr, stderr[name])]
        tasks = [asyncio.create_task(reader) for reader in readers]
        yield heard, stderr
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in processes), *tasks)


async def _collect(lines: Any, connection: str, into: list[Heard]) -> None:
    decode = msgspec.json.Decoder(Heard).decode
    async for line in lines:
        with contextlib.suppress(msgspec.DecodeError):  # a line cut where the process was ended
            found = decode(line)
            found.connection = connection
            found.venue = found.venue or ("okx" if connection.startswith("okex") else re.split("[- ]", connection)[0])
            into.append(found)


async def _keep(lines: Any, into: bytearray) -> None:
    async for line in lines:
        into.extend(line)


def _listening(simulator: Simulator, clients: set[str]) -> bool:
    """Whether every contract's liquidations, and tickers and funding, have as many listeners as there are clients."""
    topics = {name: protocol.host.topics for name, protocol in simulator._hosts.items()}
    return all(
        len(topics[host].get(topic, ())) >= len(clients & listeners)
        for contract in simulator.market.contracts
        for host, topic, listeners in _topics(contract)
    )


def _topics(contract: Contract) -> Iterator[tuple[str, str, set[str]]]:
    """Yield host, topic and the clients that can listen to it."""
    both, symbol, perpetual = {"tardis-dev", "ccxt"}, contract.symbol, not contract.expiry_ms
    if contract.venue == "binance":
        yield contract.market, f"{symbol.lower()}@forceOrder", both | {"cryptofeed"}
    elif contract.venue == "bybit":
        yield "bybit", f"{contract.market}/allLiquidation.{symbol}", both
        yield "bybit", f"{contract.market}/tickers.{symbol}", {"tardis-dev"}
    else:
        yield "okx", f"liquidation-orders:{contract.market}", both
        if perpetual:
            yield "okx", f"funding-rate:{symbol}", both | {"cryptofeed"}


def _all_came(heard: dict[str, list[Heard]], shown: list[Shown]) -> bool:
    """Whether every liquidation shown is in frames that each client printed, but for those it never receives."""
    sent = Counter(one.venue for one in shown)
    for client, found in heard.items():
        came = Counter(each.venue for each in found for _ in items(each.frame))
        if any(came[venue] < count for venue, count in sent.items() if (client, venue) not in NOT_RECEIVED):
            return False
    return True


def said_of(stderr: dict[str, bytearray]) -> dict[str, str]:
    """Return what each client wrote to its standard error."""
    return {name: text.decode(errors="replace") for name, text in stderr.items()}


async def until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for a condition; false where it does not come true in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.1)
            return True
    return False
