"""Acme, simulated: one host; each liquidation at once, at its fill price."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import orjson

from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.faults import Faults, Kind
from collectors.simulator.host import Answer, Client, Host, Protocol, framed, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.load import Frames, made_up
from collectors.simulator.recordings import Recorded, RecordedRest
from collectors.simulator.simulated import Feed, Served, Simulated, World

SHOWS = Shows("fill")


class AcmeLimits(msgspec.Struct, frozen=True):
    """Symbols a connection."""

    symbols: int = 500


class AcmeProtocol(Protocol):
    """The one host; a topic is a symbol."""

    venue = "acme"
    http_kinds = ("http_503",)

    def __init__(self, rest: Callable[[str, dict[str, str]], Answer], faults: Faults, limits: AcmeLimits) -> None:
        self._rest = rest
        self._limits = limits
        self.host = Host(self, faults)

    def accepts(self, path: str) -> bool:
        return path == "/v1"

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return self._rest(path, query)

    def misbehave(self, kind: Kind) -> Answer:
        return Answer(503, b"")

    def opened(self, client: Client) -> None: ...

    def received(self, client: Client, message: str | bytes) -> None:
        request = orjson.loads(message)
        for symbol in request["symbols"][: self._limits.symbols]:
            self.host.subscribe(client, symbol)
        client.send_json({"ack": request["id"]})

    def check(self, client: Client, now: float) -> None: ...


class AcmeFeed(Feed):
    """Shows everything with the next push."""

    def __init__(self, world: World, protocol: AcmeProtocol) -> None:
        self._world = world
        self._protocol = protocol
        self._waiting: list[Liquidation] = []

    @property
    def pending(self) -> int:
        return len(self._waiting)

    def offer(self, liquidation: Liquidation) -> None:
        self._waiting.append(liquidation)

    def push(self, now: int) -> None:
        for one in self._waiting:
            frame = _frame(one.contract, one.order_side, one.fill, one.qty, one.ts)
            heard = self._protocol.publish(one.contract.symbol, frame)
            self._world.truth.show(one, now).receivers = self._world.truth.wrote("acme", "liquidations", heard)
        self._waiting.clear()


def _contract(traded: Traded) -> Contract | None:
    if traded.quote != "USDT" or traded.expiry:
        return None
    return traded.contract("acme", "perp", f"{traded.coin.name}-PERP", SHOWS, size=1.0, step=0.001)


def _frame(contract: Contract, side: str, price: str, size: str, time: int) -> bytes:
    told = {
        "channel": "liquidations",
        "symbol": contract.symbol,
        "side": side,
        "price": price,
        "size": size,
        "time": time,
    }
    return orjson.dumps(told)


def _serve(world: World, limits: AcmeLimits) -> Served:
    listed = json_answer({"contracts": [{"symbol": c.symbol} for c in world.market.contracts if c.venue == "acme"]})
    protocol = AcmeProtocol(
        lambda path, _: listed if path == "/v1/contracts" else Answer(404, b""), world.faults, limits
    )
    return Served((protocol,), AcmeFeed(world, protocol))


def _play(folder: Path, faults: Faults, limits: AcmeLimits) -> Sequence[Protocol]:
    return (AcmeProtocol(RecordedRest(folder, lambda status: Answer(status, b"{}")), faults, limits),)


def _made_up(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    for _, contract, _, price, qty in made_up(contracts):
        yield contract.symbol, framed(_frame(contract, "sell", price.decode(), qty.decode(), now()))


def _recorded(_file: str, line: bytes) -> Recorded | None:
    symbol = orjson.loads(line).get("symbol")
    return Recorded("acme", "acme", {symbol: line}) if symbol else None


SIMULATED = Simulated(
    name="acme",
    hosts={"acme": "ACME"},
    limits=AcmeLimits(),
    refusals=AcmeProtocol.http_kinds,
    contract=_contract,
    serve=_serve,
    play=_play,
    made_up=_made_up,
    recorded=_recorded,
)
