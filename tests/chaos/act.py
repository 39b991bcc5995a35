"""What each fault does to the world, and when it was over."""

import asyncio
import fcntl
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Any, NamedTuple

from tests.chaos.faults import CLOCK_S, HTTP, LIQUIDATIONS, TICKING, Planned
from tests.chaos.proxy import Proxy
from tests.chaos.world import World
from warehouse.place import Place
from warehouse.settings import WarehouseSettings

SLOW_BYTES_PER_S = 20_000.0
BIG_BYTES = 2 * 1024 * 1024
LATE_S = (0.005, 0.02, 0.1)
LOCK_POLL_S = 0.003
LOCK_WITHIN_S = 10.0
BACK_WITHIN_S = 120.0

Act = Callable[[World, Planned], Awaitable[int]]


class Done(NamedTuple):
    """A fault that was done: from when to when (UTC ns), and how many things it hit; 0: there was nothing to hit."""

    planned: Planned
    began_ns: int
    ended_ns: int
    hit: int


async def act(world: World, planned: Planned) -> Done:
    """Do a fault and end it."""
    began = time.time_ns()
    hit = await ACTS[planned.kind.where](world, planned)
    return Done(planned, began, time.time_ns(), hit)


async def _venue(world: World, planned: Planned) -> int:
    venue, lasts, count = planned.target, planned.seconds, planned.times
    all_or_liquidations = LIQUIDATIONS[venue] if planned.dice < 0.7 else ""
    details: dict[str, dict[str, Any]] = {
        "drop": {"kind": "drop", "count": 1 if planned.dice < 0.5 else None},
        "drop and refuse": {"kind": "drop", "seconds": lasts},
        "frozen line": {"kind": "half_open", "count": 1},
        "silent": {"kind": "silent", "seconds": lasts},
        "liquidations silent": {"kind": "silent", "seconds": lasts, "channel": LIQUIDATIONS[venue]},
        "marks silent": {"kind": "silent", "seconds": lasts, "channel": TICKING[venue]},
        "garbage": {"kind": "garbage", "count": count},
        "big frame": {"kind": "big_frame", "size": BIG_BYTES},
        "notice": {"kind": "notice"},
        "topic refused": {"kind": "refuse_topic", "count": count},
        "HTTP refused": {"kind": HTTP[venue][int(planned.dice * len(HTTP[venue]))], "count": count},
        "repeat": {"kind": "repeat", "count": count, "channel": all_or_liquidations},
        "reorder": {"kind": "reorder", "count": count, "channel": all_or_liquidations},
        "cut frame": {"kind": "cut_frame", "count": count, "channel": all_or_liquidations},
        "torn frame": {"kind": "torn_frame", "channel": all_or_liquidations},
        "flood": {"kind": "flood", "count": count},
    }
    hit = world.simulator.fault(venue=venue, **details[planned.kind.name])
    await asyncio.sleep(lasts)
    return hit


async def _network(world: World, planned: Planned) -> int:
    proxies = [proxy for proxy in world.venue_proxies if proxy.venue == planned.target and proxy.lines]
    chosen = proxies[int(planned.dice * len(proxies))] if proxies else None
    return await _relay(chosen, planned) if chosen else 0


async def _kafka_network(world: World, planned: Planned) -> int:
    return await _relay(world.kafka_proxies[_process(world, planned)], planned)


async def _relay(proxy: Proxy, planned: Planned) -> int:
    lasts = planned.seconds
    if planned.kind.name == "cut":
        return proxy.cut()
    if planned.kind.name == "slow":
        return await proxy.slow(lasts, SLOW_BYTES_PER_S)
    return await {"refuse": proxy.refuse, "pause": proxy.pause, "half open": proxy.half_open}[planned.kind.name](lasts)


async def _signals(world: World, planned: Planned) -> int:
    name, sign = _process(world, planned), signal.Signals[planned.kind.name]
    hit = world.signal(name, sign)
    if sign == signal.SIGSTOP:
        await asyncio.sleep(planned.seconds)
        world.signal(name, signal.SIGCONT)
    return hit


async def _broker(world: World, planned: Planned) -> int:
    hit = await _signals(world, planned)
    async with asyncio.timeout(BACK_WITHIN_S):
        while hit and world.pid("broker") is None:
            await asyncio.sleep(0.2)
    return hit


async def _disk(world: World, planned: Planned) -> int:
    await asyncio.to_thread(world.disk.fill)
    await asyncio.sleep(planned.seconds)
    await asyncio.to_thread(world.disk.free)
    return 1


async def _catalogue(world: World, planned: Planned) -> int:
    hold = _hold_write_lock if planned.kind.name == "write lock held" else _hold_sqlite
    return await asyncio.to_thread(hold, world, planned.seconds)


async def _clock(world: World, planned: Planned) -> int:
    clock = world.clocks[_process(world, planned)]
    wrong = CLOCK_S[int(planned.dice * 997) % len(CLOCK_S)]
    clock.shift(wrong if planned.kind.name == "forward" else -wrong)
    await asyncio.sleep(planned.seconds)
    clock.shift(0)
    return 1


async def _slow_disk(world: World, planned: Planned) -> int:
    clock = world.clocks[_process(world, planned)]
    clock.slow(LATE_S[int(planned.dice * 997) % len(LATE_S)])
    await asyncio.sleep(planned.seconds)
    clock.slow(0)
    return 1


def _process(world: World, planned: Planned) -> str:
    if planned.target != "collect":
        return planned.target
    return world.names[int(planned.dice * len(world.names))]


def _hold_write_lock(world: World, seconds: float) -> int:
    with (_place(world).folder / "write.lock").open("a+") as file:
        for _ in range(int(LOCK_WITHIN_S / LOCK_POLL_S)):
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                time.sleep(seconds)
                return 1
            time.sleep(LOCK_POLL_S)
    return 0


def _hold_sqlite(world: World, seconds: float) -> int:
    catalogue = _place(world).sqlite
    opened = sqlite3.connect(str(catalogue), timeout=LOCK_WITHIN_S, isolation_level=None)
    with closing(opened) as connection, suppress(sqlite3.OperationalError):
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
        return 1
    return 0


def _place(world: World) -> Place:
    return Place(world.folder, WarehouseSettings())


ACTS: dict[str, Act] = {
    "venue": _venue, "network": _network, "kafka network": _kafka_network, "process": _signals, "broker": _broker,
    "disk": _disk, "catalogue": _catalogue, "clock": _clock,
    "slow disk": _slow_disk,
}  # fmt: skip
