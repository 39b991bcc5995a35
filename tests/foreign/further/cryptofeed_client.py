"""Drives cryptofeed 2 or 3, unchanged, on a further venue: `EXCHANGE WS REST`; `map` of frames from standard input; `reads
NAMES` prints which exchanges have liquidations.

Runs in an environment of its own. Prints JSON lines {frame, said}; a subclass sets addresses and listens in.
"""

import asyncio
import json
import logging
import sys
from typing import Any

from cryptofeed import FeedHandler, exchanges
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import FUTURES, LIQUIDATIONS, PERPETUAL
from cryptofeed.symbols import Symbol, Symbols, str_to_symbol

logging.getLogger("feedhandler").setLevel(logging.CRITICAL)
PATHS = {"Bitmex": "/realtime", "Deribit": "/ws/api/v2"}
WITH_OPTIONS = {"compression": None}


def _put(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class _Listening:
    """Notes every message with the liquidations that its handling called back."""

    said: list[dict[str, Any]]

    async def message_handler(self, message: str, connection: Any, timestamp: float) -> None:
        self.said = []
        await super().message_handler(message, connection, timestamp)
        _put(frame=message if isinstance(message, str) else message.decode(), said=self.said)

    async def _ws_authentication(self, address: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """cryptofeed takes wss addresses only; version 2 asks here where to connect to."""
        return address.replace("wss://", "ws://", 1), options

    def _wrap_connection(self, connection: Any) -> Any:
        """The same in version 3."""
        connection.address = connection.address.replace("wss://", "ws://", 1)
        return connection

    @classmethod
    def _write_symbol_cache(cls, *_: Any) -> None:
        """Version 3 keeps the list of symbols in the user's cache, where simulated ones have no place."""

    async def liquidated(self, found: Any, _received: float) -> None:
        time = None if found.timestamp is None else round(float(found.timestamp) * 1000)
        self.said.append({
            "kind": "liquidation", "symbol": self.std_symbol_to_exchange_symbol(found.symbol), "side": found.side,
            "price": float(found.price), "amount": float(found.quantity), "timestamp": time, "id": found.id,
        })  # fmt: skip


def _addressed(kind: Any, ws: str, rest: str) -> Any:
    options = {"options": WITH_OPTIONS}
    if "authentication" in WebsocketEndpoint.__dataclass_fields__:
        options["authentication"] = True
    ends = [WebsocketEndpoint(ws.replace("ws://", "wss://", 1) + PATHS[kind.__name__], **options)]
    routes = Routes(kind.rest_endpoints[0].routes.instruments)
    own = {"websocket_endpoints": ends, "rest_endpoints": [RestEndpoint(rest, routes=routes)]}
    return type(kind.__name__, (_Listening, kind), own)


def main(name: str, ws: str, rest: str) -> None:
    """Listen to the liquidations of everything that the exchange lists."""
    handler = FeedHandler({"log": {"disabled": True}, "uvloop": False})
    kind = _addressed(getattr(exchanges, name), ws, rest)
    futures = [each for each in kind.symbols() if str_to_symbol(each).type in (PERPETUAL, FUTURES)]
    feed = kind(subscription={LIQUIDATIONS: futures})
    feed.callbacks[LIQUIDATIONS] = [feed.liquidated]
    handler.add_feed(feed)
    handler.run()


async def _map(line: dict[str, Any]) -> dict[str, Any]:
    """Read a recorded frame with a feed that knows its contract."""
    kind = getattr(exchanges, line["exchange"])
    contract = Symbol("BASE", "QUOTE", type=PERPETUAL).normalized
    Symbols.set(kind.id, {contract: line["symbol"]}, {"instrument_type": {contract: PERPETUAL}})
    feed = type(kind.__name__, (_Listening, kind), {})(subscription={LIQUIDATIONS: [contract]})
    feed.callbacks[LIQUIDATIONS] = [feed.liquidated]
    feed.said = []
    await kind.message_handler(feed, line["frame"], None, 0.0)
    return {"said": feed.said}


if __name__ == "__main__":
    if sys.argv[1] == "reads":
        found = [getattr(exchanges, name, None) for name in sys.argv[2:]]
        _put(reads=[each.__name__ for each in found if each and LIQUIDATIONS in each.websocket_channels])
    elif sys.argv[1] == "map":
        for each in sys.stdin:
            _put(**asyncio.run(_map(json.loads(each))))
    else:
        main(*sys.argv[1:])
