"""Which client reads the liquidations of which further venue, and how it is started."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from collectors.simulator.contracts import Contract
from collectors.simulator.simulator import Simulator
from tests.foreign import install
from tests.foreign.live import HERE as FOREIGN
from tests.foreign.live import START_MS

HERE = Path(__file__).parent
VENUES = ("bitmex", "deribit", "bitfinex", "kraken", "htx", "dydx", "lighter", "gateio")
TARDIS = {
    "bitmex": ("bitmex", "contracts", "/realtime"), "deribit": ("deribit", "futures", "/ws/api/v2"),
    "bitfinex-derivatives": ("bitfinex", "futures", "/ws/2"), "cryptofacilities": ("kraken", "futures", "/ws/v1"),
    "huobi-dm": ("htx", "delivery", "/notification"), "huobi-dm-swap": ("htx", "swap", "/swap-notification"),
    "huobi-dm-linear-swap": ("htx", "linear", "/linear-swap-notification"), "dydx-v4": ("dydx", "markets", "/v4/ws"),
}  # fmt: skip
"""tardis-dev's name of an exchange, to our venue, its market and the path of its socket."""
CCXT = {"stream": {"lighter": "lighter"}, "ask": {"gate": "gateio", "htx": "htx", "bitfinex": "bitfinex"}}
"""What ccxt does: its names of exchanges, and our venues."""
CRYPTOFEED = {"cryptofeed": ("bitmex", "Bitmex"), "cryptofeed 3": ("deribit", "Deribit")}
Command = tuple[str, list[str], dict[str, str]]
"""Of a process: the name of its connection, which begins with the venue, the command, the environment."""


class Source(NamedTuple):
    """A client and a venue; `streamed` by its socket, else asked by REST."""

    client: str
    venue: str
    streamed: bool = True


SOURCES = (
    *(Source("tardis-dev", venue) for venue in dict.fromkeys(venue for venue, _, _ in TARDIS.values())),
    *(Source(client, venue) for client, (venue, _) in CRYPTOFEED.items()),
    *(Source("ccxt", venue, mode == "stream") for mode, venues in CCXT.items() for venue in venues.values()),
)


def commands(simulator: Simulator, missing: dict[str, str]) -> dict[str, list[Command]]:
    """Return per client its processes; `missing` is told which clients cannot be had, and why."""
    makers: dict[str, Callable[[], list[Command]]] = {
        "tardis-dev": lambda: _tardis(simulator, install.node_modules()),
        "cryptofeed": lambda: _cryptofeed(simulator, install.python(), "cryptofeed"),
        "cryptofeed 3": lambda: _cryptofeed(simulator, install.cryptofeed_3_python(), "cryptofeed 3"),
        "ccxt": lambda: [_ccxt(simulator, install.python())],
    }
    found: dict[str, list[Command]] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except install.UnavailableError as error:
            missing[name] = str(error)
    return found


def _address(simulator: Simulator, venue: str, kind: str) -> str:
    return simulator.env()[f"LIQ_{venue.upper()}_{kind}"]


def _tardis(simulator: Simulator, modules: Path) -> list[Command]:
    found: list[Command] = []
    for exchange, (venue, market, path) in TARDIS.items():
        own = [each.symbol for each in of_venue(simulator, venue) if each.market == market]
        symbols = ",".join(each.removeprefix("t") if venue == "bitfinex" else each for each in own)
        variable = f"WSS_URL_{exchange.upper().replace('-', '_')}"
        env = {"NODE_PATH": str(modules), variable: _address(simulator, venue, "WS") + path}
        script = str(FOREIGN / "tardis" / "tardis.js")
        found.append((f"{venue} {exchange}", ["node", script, "stream", exchange, symbols], env))
    return found


def _cryptofeed(simulator: Simulator, python: Path, client: str) -> list[Command]:
    venue, name = CRYPTOFEED[client]
    addresses = [_address(simulator, venue, kind) for kind in ("WS", "REST")]
    return [(f"{venue} {client}", [str(python), "-P", str(HERE / "cryptofeed_client.py"), name, *addresses], {})]


def _ccxt(simulator: Simulator, python: Path) -> Command:
    addresses = {
        name: {kind.lower(): _address(simulator, venue, kind) for kind in ("WS", "REST")}
        for mode in CCXT.values() for name, venue in mode.items()
    }  # fmt: skip
    markets = {
        name: [_market(each) for each in of_venue(simulator, venue)]
        for mode in CCXT.values() for name, venue in mode.items()
    }  # fmt: skip
    control = f"{simulator.env()['LIQ_SIMULATOR']}/_state"
    arguments = [json.dumps(addresses), json.dumps(markets), control, str(START_MS)]
    return "ccxt", [str(python), "-P", str(HERE / "ccxt_client.py"), *arguments], {}


def of_venue(simulator: Simulator, venue: str) -> Sequence[Contract]:
    """Return what the market trades on a venue."""
    return [each for each in simulator.market.contracts if each.venue == venue]


def _market(each: Contract) -> Mapping[str, Any]:
    """The contract as ccxt's own market list would hold it; a quoted unit of many coins is a coin to it."""
    symbol = f"{each.unit}/{each.quote}:{each.settle}" + (f"-{each.symbol[-6:]}" if each.expiry_ms else "")
    size = each.size if each.inverse or each.venue != "lighter" else 1.0
    return {
        "id": each.symbol, "symbol": symbol, "base": each.unit, "quote": each.quote, "settle": each.settle,
        "settleId": each.settle.lower(), "type": "future" if each.expiry_ms else "swap", "spot": False,
        "swap": not each.expiry_ms, "future": bool(each.expiry_ms), "option": False, "contract": True,
        "linear": not each.inverse, "inverse": each.inverse, "contractSize": size, "active": True, "precision": {},
        "limits": {}, "info": {},
    }  # fmt: skip
