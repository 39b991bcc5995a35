"""Frames as the three venues send them, numbered as a collector would number them."""

import json
from itertools import count
from typing import Any

from collectors.envelope import Origin, RawFrame
from collectors.events import EventName, event_frame
from collectors.session_names import Source

START_MS = 1_790_000_000_000


class Session:
    """A collector's session: hands out frames with rising seq, received 10 ms after `at_ms`.

    `name`: the feed's, and what tells the session from the feed's others (`linear-1-aaaa`).
    """

    def __init__(self, venue: str, name: str, source: Source = "live") -> None:
        self.venue = venue
        self.session = f"{venue}-{name}"
        self.feed = name.partition("-")[0]
        self.source: Source = source
        self._seq = count(1)

    def frame(self, channel: str, symbol: str, payload: Any, at_ms: int, topic: str, transport: str = "ws") -> RawFrame:
        """Return the next frame; a payload that is not bytes is sent as JSON."""
        sent = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        recv_ns = (at_ms + 10) * 1_000_000
        return RawFrame(
            self.venue, channel, symbol, transport, recv_ns, self.session, self.feed, self.source, next(self._seq), sent, topic
        )  # fmt: skip

    def event(self, frames: int, event: EventName, reason: str = "", /, **detail: Any) -> RawFrame:
        """Return an event of the session, as its collector tells it now."""
        return event_frame(
            Origin(self.venue, "ws", self.session, self.feed, self.source), frames, event, reason, detail
        )


def bybit_liquidation(at_ms: int, *items: tuple[str, str, str], symbol: str = "BTCUSDT") -> dict[str, Any]:
    """`items`: (S, v, p) of each liquidation."""
    data = [{"T": at_ms, "s": symbol, "S": side, "v": size, "p": price} for side, size, price in items]
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": at_ms + 3, "data": data}


def binance_liquidation(at_ms: int, side: str, qty: str, price: str, symbol: str = "ETHUSDT") -> dict[str, Any]:
    """A `forceOrder` of the all-market stream."""
    order = {
        "s": symbol, "S": side, "o": "LIMIT", "f": "IOC", "q": qty, "p": "1", "ap": price, "X": "FILLED", "l": qty,
        "z": qty, "T": at_ms, "ps": symbol, "st": 1,
    }  # fmt: skip
    return {"e": "forceOrder", "E": at_ms + 900, "o": order}


def okx_liquidation(at_ms: int, contract: str, side: str, size: str, price: str) -> dict[str, Any]:
    """One liquidation of the `liquidation-orders` channel."""
    position = "long" if side == "sell" else "short"
    detail = {"side": side, "posSide": position, "sz": size, "bkPx": price, "bkLoss": "0", "ccy": "", "ts": str(at_ms)}
    data = {
        "instType": "SWAP",
        "instId": contract,
        "instFamily": contract[:-5],
        "uly": contract[:-5],
        "details": [detail],
    }
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [data]}


def bybit_ticker(at_ms: int, kind: str, cs: int, symbol: str = "BTCUSDT", **fields: str) -> dict[str, Any]:
    """A ticker snapshot or delta."""
    return {"topic": f"tickers.{symbol}", "type": kind, "cs": cs, "ts": at_ms, "data": {"symbol": symbol, **fields}}
