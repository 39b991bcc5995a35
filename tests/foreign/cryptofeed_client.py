"""Drives cryptofeed, unchanged: `stream` from addresses given as arguments, `map` of frames from standard input.

Runs in an environment of its own. Prints JSON lines {frame, said, ...}; subclasses set addresses and listen in.
"""

import asyncio
import json
import logging
import sys
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import FUNDING, LIQUIDATIONS, PERPETUAL
from cryptofeed.exchanges import OKX, BinanceDelivery, BinanceFutures, Bybit
from cryptofeed.symbols import Symbol, Symbols, str_to_symbol

logging.getLogger("feedhandler").setLevel(logging.CRITICAL)
PLAIN = {"compression": None}
NATIVE = {"binance": (BinanceFutures, BinanceDelivery), "bybit": (Bybit,), "okx": (OKX,)}


def _put(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _ms(seconds: Any) -> int | None:
    """cryptofeed's times are seconds."""
    return None if seconds is None else round(float(seconds) * 1000)


class _Listening:
    """Notes every message with what its handling called back."""

    said: list[dict[str, Any]]
    error: str | None = None

    async def message_handler(self, message: str, connection: Any, timestamp: float) -> None:
        self.said, error = [], None
        try:
            await super().message_handler(message, connection, timestamp)
        except Exception as raised:  # noqa: BLE001 - raised to cryptofeed it restarts the connection for ever
            error = f"{type(raised).__name__}: {raised}"
        text = message if isinstance(message, str) else message.decode()
        _put(venue=self.id.partition("_")[0].lower(), frame=text, said=self.said, error=error)

    async def _ws_authentication(self, address: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """cryptofeed takes wss addresses only; here, just before it connects, it asks where to."""
        return address.replace("wss://", "ws://", 1), options

    async def liquidated(self, found: Any, _received: float) -> None:
        self.said.append({
            "kind": "liquidation", "symbol": self.std_symbol_to_exchange_symbol(found.symbol), "side": found.side,
            "price": _number(found.price), "amount": _number(found.quantity), "timestamp": _ms(found.timestamp),
        })  # fmt: skip

    async def funded(self, found: Any, _received: float) -> None:
        self.said.append({
            "kind": "ticker", "symbol": self.std_symbol_to_exchange_symbol(found.symbol),
            "funding_rate": _number(found.rate), "next_funding_ms": _ms(found.next_funding_time),
            "mark_price": _number(found.mark_price), "timestamp": _ms(found.timestamp),
            "predicted": _number(found.predicted_rate),
        })  # fmt: skip


def _addressed(kind: Any, ws: str, rest: str, routes: list[str] | str) -> Any:
    own = kind.websocket_endpoints[0]
    end = WebsocketEndpoint(
        ws.replace("ws://", "wss://", 1), instrument_filter=own.instrument_filter, channel_filter=own.channel_filter,
        options=PLAIN, authentication=True,
    )  # fmt: skip
    old = kind.rest_endpoints[0].routes
    ends = [RestEndpoint(rest, routes=Routes(routes, liquidations=old.liquidations))]
    return type(kind.__name__, (_Listening, kind), {"websocket_endpoints": [end], "rest_endpoints": ends})


def _feeds(ws: dict[str, str], rest: dict[str, str]) -> list[Any]:
    instruments = [f"/api/v5/public/instruments?instType={kind}" for kind in ("SWAP", "FUTURES")]
    return [
        _addressed(BinanceFutures, f"{ws['um']}/market", rest["um"], "/fapi/v1/exchangeInfo"),
        _addressed(BinanceDelivery, ws["cm"], rest["cm"], "/dapi/v1/exchangeInfo"),
        _addressed(Bybit, f"{ws['bybit']}/v5/public/linear", rest["bybit"],
                   [f"/v5/market/instruments-info?category=linear&status={at}" for at in ("Trading", "PreLaunch")]),
        _addressed(OKX, f"{ws['okx']}/ws/v5/public", rest["okx"], instruments),
    ]  # fmt: skip


def _stream(ws: dict[str, str], rest: dict[str, str]) -> None:
    handler = FeedHandler({"log": {"disabled": True}, "uvloop": False})
    for kind in _feeds(ws, rest):
        symbols = [symbol for symbol in kind.symbols() if not symbol.endswith("PINDEX")]  # its name for an index
        perpetual = [symbol for symbol in symbols if str_to_symbol(symbol).type == PERPETUAL]
        feed = kind(subscription={LIQUIDATIONS: perpetual if kind.id == "OKX" else symbols, FUNDING: perpetual})
        feed.callbacks |= {LIQUIDATIONS: [feed.liquidated], FUNDING: [feed.funded]}
        handler.add_feed(feed)
    handler.run()


class _Connection:
    """What a handler asks of its connection."""

    address, uuid = "/linear", "map"


async def _map(line: dict[str, Any]) -> dict[str, Any]:
    """Handle one frame with a feed that knows its contract."""
    kinds = NATIVE[line["venue"]]
    kind = kinds[line["inverse"] and len(kinds) > 1]
    contract = Symbol("BASE", "QUOTE", type=PERPETUAL).normalized
    Symbols.set(kind.id, {contract: line["symbol"]}, {"instrument_type": {contract: PERPETUAL}})
    feed = type(kind.__name__, (_Listening, kind), {})(subscription={LIQUIDATIONS: [contract]})
    feed.callbacks[LIQUIDATIONS] = [feed.liquidated]
    feed.said = []
    try:
        await kind.message_handler(feed, line["frame"], _Connection, 0.0)
    except Exception as error:  # noqa: BLE001 - a foreign client may raise anything; it is told, not hidden
        return {"said": [], "error": f"{type(error).__name__}: {error}"}
    return {"said": feed.said}


if __name__ == "__main__":
    if sys.argv[1] == "map":
        for each in sys.stdin:
            _put(**asyncio.run(_map(json.loads(each))))
    else:
        _stream(json.loads(sys.argv[2]), json.loads(sys.argv[3]))
