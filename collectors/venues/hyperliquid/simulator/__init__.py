"""Hyperliquid, simulated: one host, asked by POST; what is liquidated is in the files of a node alone.

market.py   what is listed and answered    accounts.py   who holds what    node.py   the node's files
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.simulator.faults import Faults
from collectors.simulator.host import Answer, Protocol, json_answer
from collectors.simulator.plain import AnswersOnly, Paced, PlainFeed
from collectors.simulator.posted import PostHost
from collectors.simulator.simulated import Served, Simulated, World
from collectors.venues.hyperliquid.simulator.accounts import Accounts
from collectors.venues.hyperliquid.simulator.market import HyperliquidLimits, answers, contract, refusal
from collectors.venues.hyperliquid.simulator.node import Node

__all__ = ["SIMULATED", "HyperliquidLimits"]


def _protocol(answer: Callable[[str, dict[str, str]], Answer], faults: Faults) -> AnswersOnly:
    protocol = AnswersOnly("hyperliquid", answer, refusal, faults)
    protocol.host = PostHost(protocol, faults)
    return protocol


def _serve(world: World, limits: HyperliquidLimits) -> Served:
    own = [each for each in world.market.contracts if each.venue == "hyperliquid"]
    accounts = Accounts(world.market, own, world.seed)
    protocol = _protocol(answers(world.market, own, accounts, limits), world.faults)
    node = Node(world.seed, world.truth)
    feed = PlainFeed(world, "hyperliquid", (protocol,), node.write, (Paced(1000, accounts.look),))

    def settings() -> dict[str, str]:
        leaderboard = f"http://127.0.0.1:{protocol.host.port}"
        return {"LIQ_HYPERLIQUID_NODE": str(node.data), "LIQ_HYPERLIQUID_LEADERBOARD": leaderboard}

    return Served((protocol,), feed, settings)


def _play(_folder: Path, faults: Faults, _limits: HyperliquidLimits) -> Sequence[Protocol]:
    return (_protocol(lambda _path, _query: json_answer({"universe": []}), faults),)


SIMULATED = Simulated(
    name="hyperliquid",
    hosts={"hyperliquid": "HYPERLIQUID"},
    limits=HyperliquidLimits(),
    refusals=AnswersOnly.http_kinds,
    contract=contract,
    serve=_serve,
    play=_play,
    funding_hours=1.0,
)
