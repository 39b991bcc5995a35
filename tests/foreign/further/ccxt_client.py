"""Drives ccxt, unchanged, on further venues: `stream` or `ask` with ADDRESSES MARKETS SINCE; `reads NAMES` says what it has.

Runs in an environment of its own. Addresses and markets are JSON by ccxt's name of the exchange; the markets are given, as its
own lists need far more of a venue than its liquidations.
"""

import asyncio
import json
import sys
from typing import Any

import ccxt.pro

VENUE = {"gate": "gateio"}
CHANNELS = {"gate": "liq_orders", "htx": "liquidation_history", "bitfinex": "liquidations_hist"}
MOST = 500
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
        params = {} if client.id == "htx" else {"limit": MOST}  # HTX takes none
        found = await client.fetch_liquidations(market["symbol"], **_since(client, since), **params)
    except Exception as error:  # noqa: BLE001 - a foreign client may raise anything; it is told, not hidden
        _put(**line, error=f"{type(error).__name__}: {error}")
    else:
        _put(**line, frame=client.last_http_response, said=[_liquidation(client, each) for each in found])


def _since(client: Any, since: int) -> dict[str, int]:
    return {} if client.id == "gate" else {"since": since}


async def _stream(clients: dict[str, Any], markets: dict[str, list[dict[str, Any]]]) -> None:
    await asyncio.gather(
        *(_watch(client, each["symbol"]) for name, client in clients.items() for each in markets[name])
    )


async def _ask_all(clients: dict[str, Any], markets: dict[str, list[dict[str, Any]]], since: int) -> None:
    for name, client in clients.items():
        for market in markets[name]:
            await _ask(client, market, since)
        await client.close()


async def main(mode: str, addresses: dict[str, Any], markets: dict[str, list[dict[str, Any]]], since: int) -> None:
    """Watch, or ask once for what was since then, UTC ms."""
    clients = {name: _client(name, each, markets[name]) for name, each in addresses.items()}
    await (_stream(clients, markets) if mode == "stream" else _ask_all(clients, markets, since))


if __name__ == "__main__":
    if sys.argv[1] == "reads":
        known = {name: getattr(ccxt.pro, name)().has for name in sys.argv[2:] if hasattr(ccxt.pro, name)}
        _put(reads={name: [each for each in READS if has.get(each)] for name, has in known.items()})
    else:
        asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4])))
