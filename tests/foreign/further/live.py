"""A seeded market on the further venues' simulators, and the foreign clients listening to it until it is over.

As for the first three venues: the market's clock stands still until every client has subscribed. Who is asked by REST is
asked once everything has happened.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from importlib import import_module

import httpx

from collectors.simulator.contracts import Contract
from collectors.simulator.script import Phases
from collectors.simulator.simulator import Simulator
from collectors.venues.bitfinex.simulator.server import KEY
from collectors.venues.htx.simulator.market import code
from collectors.venues.htx.simulator.server import PATHS
from collectors.venues.simulated import SIMULATED
from pipelines.columns.contracts.instruments import Instruments
from tests.foreign.further.clients import CCXT, SOURCES, TARDIS, VENUES, commands, of_venue
from tests.foreign.further.sent import came
from tests.foreign.live import COINS, READY_S, SETTLE_S, Clock, Heard, ListenersError, Run, said_of, started, until
from tests.foreign.ours import book_of

PHASES = Phases(calm_s=4, cascade_s=8, aftermath_s=3, burst_s=4, burst=200, trickle=4)
TOPICS = {"bitmex": "liquidation:{}", "deribit": "trades.{}.100ms", "kraken": "trade:{}", "dydx": "v4_trades:{}",
           "lighter": "trade/{}"}  # fmt: skip
"""By venue the topic that a client subscribes to for each contract, as its simulator keeps it."""


async def run() -> Run:
    """Run the market once with every client that can be had; `missing` says which cannot, and why."""
    clock, missing = Clock(), dict[str, str]()
    async with Simulator(seed=7, coins=COINS, phases=PHASES, now=clock, then="quiet", venues=VENUES) as simulator:
        parts = await asyncio.to_thread(commands, simulator, missing)
        book = await _book(simulator)
        async with started(parts) as (heard, stderr):
            if not await until(lambda: _listening(simulator, set(parts)), READY_S):
                raise ListenersError(f"not every client subscribed within {READY_S:g} s; they say: {said_of(stderr)}")
            clock.release()
            await simulator.finished.wait()
            await until(lambda: not any(simulator.state()["pending"].values()), SETTLE_S)
            await until(lambda: _all_came(simulator, heard) and _all_answered(simulator, heard), SETTLE_S)
        contracts = {(each.venue, each.symbol): each for each in simulator.market.contracts}
        return Run(heard, simulator.record.rows, contracts, book, missing, said_of(stderr))


async def _book(simulator: Simulator) -> Instruments:
    """Ask for the lists of contracts that the collectors ask for."""
    env, answers = simulator.env(), dict[str, list[tuple[str, bytes]]]()
    async with httpx.AsyncClient() as client:
        for venue in VENUES:
            hosts = [env[f"LIQ_{host}_REST"] for host in SIMULATED[venue].hosts.values()]
            polls = import_module(f"collectors.venues.{venue}.rest").polls(*hosts)
            answers[venue] = [
                (poll.channel, (await client.get(poll.url, params=dict(poll.params))).content) for poll in polls if poll.lists
            ]  # fmt: skip
    return book_of(answers)


def _listening(simulator: Simulator, clients: set[str]) -> bool:
    """Whether every contract's liquidations have as many listeners as there are clients that listen to the venue."""
    return all(
        len(simulator._hosts[each.venue].host.topics.get(topic, ())) >= count
        for each in simulator.market.contracts
        for topic, count in _topics(each, clients).items()
    )


def _topics(each: Contract, clients: set[str]) -> dict[str, int]:
    """Return how many clients listen to a contract's liquidations by which topic."""
    by_socket = {venue for venue, _, _ in TARDIS.values()} if "tardis-dev" in clients else set()
    others = {"cryptofeed": "bitmex", "cryptofeed 3": "deribit", "ccxt": "lighter"}
    count = (each.venue in by_socket) + sum(others.get(client) == each.venue for client in clients)
    if each.venue == "htx":
        return {f"{PATHS[each.market]}|public.{code(each)}.liquidation_orders": count}
    named = {"bitfinex": KEY, **{venue: topic.format(each.symbol) for venue, topic in TOPICS.items()}}
    return {named[each.venue]: count} if each.venue in named else {}


def _all_came(simulator: Simulator, heard: Mapping[str, list[Heard]]) -> bool:
    """Whether as many liquidations as each venue showed are in frames that each client printed."""
    shown = Counter(one.venue for one in simulator.record.rows)
    for client, found in heard.items():
        for venue in (each.venue for each in SOURCES if each.client == client and each.streamed):
            frames = (each.frame for each in found if each.venue == venue and each.frame)
            if sum(each.counts for each in came(venue, frames)) < shown[venue]:
                return False
    return True


def _all_answered(simulator: Simulator, heard: Mapping[str, list[Heard]]) -> bool:
    asked = sum(len(of_venue(simulator, venue)) for venue in CCXT["ask"].values())
    return "ccxt" not in heard or sum(each.symbol is not None for each in heard["ccxt"]) >= asked
