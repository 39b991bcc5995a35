"""Drives ccxt, unchanged: `stream` from addresses given as arguments, `map` of frames from standard input.

Runs in an environment of its own. Prints JSON lines {frame, said, ...}; subclasses only listen in.
"""

import asyncio
import json
import sys
from typing import Any

import ccxt.pro

CATEGORIES = ("linear", "inverse")
EVERY_S = 1.0


def _put(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def _liquidation(found: dict[str, Any], market_id: str) -> dict[str, Any]:
    return {
        "kind": "liquidation", "symbol": market_id, "side": found["side"], "price": found["price"],
        "amount": found["contracts"], "base": found["baseValue"], "usd": found["quoteValue"],
        "timestamp": found["timestamp"],
    }  # fmt: skip


class _Listening:
    """Notes every message with the liquidations and funding rates that handling it appended."""

    def handle_message(self, client: Any, message: Any) -> None:
        before, rates = len(self.liquidations or ()), dict(self.fundingRates)
        super().handle_message(client, message)
        said = [_liquidation(each, self.market_id(each["symbol"])) for each in list(self.liquidations or ())[before:]]
        said += [_rate(self, each) for symbol, each in self.fundingRates.items() if rates.get(symbol) is not each]
        _put(venue=self.id, frame=json.dumps(message), said=said)


def _rate(exchange: Any, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "ticker", "symbol": exchange.market_id(found["symbol"]), "funding_rate": found["fundingRate"],
        "next_funding_ms": found["fundingTimestamp"], "mark_price": found["markPrice"], "timestamp": found["timestamp"],
        "interval": found["interval"],
    }  # fmt: skip


def _addresses(name: str, ws: dict[str, str], rest: dict[str, str]) -> dict[str, Any]:
    if name == "binance":
        return {
            "ws": {"linear": f"{ws['um']}/ws", "inverse": f"{ws['cm']}/ws"},
            "fapiPublic": f"{rest['um']}/fapi/v1", "dapiPublic": f"{rest['cm']}/dapi/v1",
        }  # fmt: skip
    if name == "bybit":
        return {
            "ws": {"public": {each: f"{ws['bybit']}/v5/public/{each}" for each in CATEGORIES}},
            "public": rest["bybit"],
        }
    return {"ws": f"{ws['okx']}/ws/v5", "rest": rest["okx"]}


def _client(name: str, ws: dict[str, str], rest: dict[str, str]) -> Any:
    kind = type(name, (_Listening, getattr(ccxt.pro, name)), {})
    markets = {"binance": list(CATEGORIES), "bybit": list(CATEGORIES), "okx": ["swap", "future"]}[name]
    return kind({
        "urls": {"api": _addresses(name, ws, rest)}, "newUpdates": True, "enableRateLimit": False,
        "options": {
            "defaultType": "swap", "liquidationsLimit": 1_000_000, "fetchMarkets": {"types": markets},
            "fetchCurrencies": False, "loadAllOptions": False,
        },
    })  # fmt: skip


async def _watch(call: Any, *args: Any) -> None:
    while True:
        try:
            await call(*args)
        except Exception as error:  # noqa: BLE001 - a foreign client may raise anything; it is told, not hidden
            _put(error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY_S)


def _watches(name: str, client: Any) -> list[Any]:
    contracts = [market for market in client.markets.values() if market["contract"]]
    if name == "bybit":
        return [_watch(client.watch_liquidations, market["symbol"]) for market in contracts]
    groups: dict[tuple[str, bool], list[str]] = {}
    for market in contracts:
        groups.setdefault((market["type"], market["linear"] or name == "okx"), []).append(market["symbol"])
    calls = [_watch(client.watch_liquidations_for_symbols, group) for group in groups.values()]
    if name == "okx":
        calls.append(_watch(client.watch_funding_rates, [m["symbol"] for m in contracts if m["swap"]]))
    return calls


async def _ask_rates(client: Any, params: dict[str, str], channel: str) -> None:
    """Ask for funding rates as a user would; the answer it read is the frame."""
    found = await client.fetch_funding_rates(params=params)
    said = [_rate(client, each) for each in found.values()]
    _put(venue=client.id, frame=client.last_http_response, channel=channel, said=said)
    await asyncio.sleep(EVERY_S)


async def _stream(ws: dict[str, str], rest: dict[str, str], names: list[str]) -> None:
    clients = {name: _client(name, ws, rest) for name in names}
    jobs: list[Any] = []
    for name, client in clients.items():
        await client.load_markets()
        jobs += _watches(name, client)
        if name == "binance":
            jobs += [
                _watch(_ask_rates, client, {"subType": kind}, f"{at}_premiumIndex")
                for kind, at in zip(CATEGORIES, ("um", "cm"), strict=True)
            ]
        elif name == "bybit":
            jobs += [_watch(_ask_rates, client, {"subType": kind}, "tickers") for kind in CATEGORIES]
    await asyncio.gather(*jobs)


def _map(line: dict[str, Any]) -> dict[str, Any]:
    """Handle one frame with a client that knows the contract, as its own market list would tell it."""
    client = getattr(ccxt.pro, line["venue"])({"newUpdates": True})
    try:
        client.set_markets([line["market"]])
        client.handle_message(client.client("ws://127.0.0.1/unused"), json.loads(line["frame"]))
        return {"said": [_liquidation(each, client.market_id(each["symbol"])) for each in client.liquidations or ()]}
    except Exception as error:  # noqa: BLE001 - as above
        return {"said": [], "error": f"{type(error).__name__}: {error}"}


async def _map_all() -> None:
    for line in sys.stdin:
        _put(**_map(json.loads(line)))


if __name__ == "__main__":
    if sys.argv[1] == "map":
        asyncio.run(_map_all())
    else:
        asyncio.run(_stream(json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]))
