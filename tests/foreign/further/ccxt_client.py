"""Drives ccxt, unchanged, on further venues: `ADDRESSES MARKETS STATE SINCE`; `map` of answers from standard input; `reads
NAMES` says what it has of exchanges.

Runs in an environment of its own. Addresses and markets are JSON by ccxt's name of the exchange; the markets are given, as its
own lists need far more of a venue than its liquidations. STATE is the simulator's, by which REST waits for the market's end.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import ccxt.pro

VENUE = {"gate": "gateio"}
CHANNELS = {"gate": "liq_orders", "htx": "liquidation_history", "bitfinex": "liquidations_hist"}
MOST = 500
EVERY_S = 0.2
READS = ("watchLiquidations", "watchLiquidationsForSymbols", "fetchLiquidations")


def _put(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def _liquidation(client: Any, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "liquidation", "symbol": client.market_id(found["symbol"]), "side": found["side"],
        "price": _number(found["price"]), "amount": _number(found["contracts"]), "base": _number(found["baseValue"]),
        "usd": _number(found["quoteValue"]), "timestamp": found["timestamp"],
    }  # fmt: skip


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


class _Listening:
    """Notes every message with the liquidations that handling it left, of which ccxt keeps the last message's only."""

    def handle_message(self, client: Any, message: Any) -> None:
        self.liquidations = None
        super().handle_message(client, message)
        said = [_liquidation(self, each) for each in self.liquidations or ()]
        _put(venue=self.id, frame=json.dumps(message), said=said)


def _addresses(name: str, rest: str, ws: str) -> dict[str, Any]:
    return {
        "gate": {"public": {"futures": f"{rest}/api/v4"}}, "htx": {"contract": rest}, "bitfinex": {"public": rest},
        "lighter": {"ws": f"{ws}/stream"},
    }[name]  # fmt: skip


def _client(name: str, addresses: dict[str, str], markets: list[dict[str, Any]]) -> Any:
    kind = type(name, (_Listening, getattr(ccxt.pro, name)), {})
    client = kind({"urls": {"api": _addresses(name, **addresses)}, "newUpdates": True, "enableRateLimit": False})
    client.set_markets(markets)
    return client


async def _watch(client: Any, symbol: str) -> None:
    while True:
        await client.watch_liquidations(symbol)


async def _ask(client: Any, market: dict[str, Any], since: int) -> None:
    line = {"venue": VENUE.get(client.id, client.id), "symbol": market["id"], "channel": CHANNELS[client.id]}
    try:
        found = await client.fetch_liquidations(market["symbol"], **_bounds(client.id, since))
    except Exception as error:  # noqa: BLE001 - a foreign client may raise anything; it is told, not hidden
        _put(**line, error=f"{type(error).__name__}: {error}")
    else:
        _put(**line, frame=client.last_http_response, said=[_liquidation(client, each) for each in found])


def _bounds(name: str, since: int) -> dict[str, int]:
    """How far and how much is asked for. HTX takes no limit; of Gate, whose times are seconds, ccxt asks in milliseconds."""
    return {"htx": {"since": since}, "gate": {"limit": MOST}}.get(name, {"since": since, "limit": MOST})


async def _ask_all(clients: dict[str, Any], markets: dict[str, list[dict[str, Any]]], state: str, since: int) -> None:
    asked = {name: client for name, client in clients.items() if name in CHANNELS}
    await _over(state)
    for name, client in asked.items():
        for market in markets[name]:
            await _ask(client, market, since)


async def _over(state: str) -> None:
    """Wait until the simulator's market has nothing left to show."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(state) as answer:
                found = await answer.json()
            if found["finished"] and not any(found["pending"].values()):
                return
            await asyncio.sleep(EVERY_S)


async def main(addresses: dict[str, Any], markets: dict[str, list[dict[str, Any]]], state: str, since: int) -> None:
    """Watch what is streamed; ask of the others, once the market is over, for what was since then, UTC ms."""
    clients = {name: _client(name, each, markets[name]) for name, each in addresses.items()}
    watches = [
        _watch(clients[name], each["symbol"]) for name in clients.keys() - CHANNELS.keys() for each in markets[name]
    ]
    await asyncio.gather(_ask_all(clients, markets, state, since), *watches)


def _map(line: dict[str, Any]) -> dict[str, Any]:
    """Read a recorded answer with a client that knows the contract."""
    client = getattr(ccxt.pro, line["exchange"])()
    client.set_markets([line["market"]])
    found = client.parse_liquidations(json.loads(line["frame"]), client.market(line["market"]["symbol"]))
    return {"said": [_liquidation(client, each) for each in found]}


if __name__ == "__main__":
    if sys.argv[1] == "reads":
        known = {name: getattr(ccxt.pro, name)().has for name in sys.argv[2:] if hasattr(ccxt.pro, name)}
        _put(reads={name: [each for each in READS if has.get(each)] for name, has in known.items()})
    elif sys.argv[1] == "map":
        for each in sys.stdin:
            _put(**_map(json.loads(each)))
    else:
        asyncio.run(main(json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
