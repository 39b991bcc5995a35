"""Gate: how to talk to its sockets. Facts: exchanges/gateio-futures.md §1, §2.

Arguments are written `settle/channel:payload`, such as `usdt/futures.public_liquidates:!all`; each is a request of its own, and
an acknowledgement names its channel alone. Without the header sizes come as whole numbers, though contracts may be fractions.
One ticker is subscribed as a pulse; the others are polled (rest.py).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.gateio import rest
from collectors.venues.venue import (
    REST_HOST,
    WS_HOST,
    Control,
    Feed,
    Frame,
    Heartbeat,
    Limits,
    Listing,
    Liveness,
    Operation,
    Rate,
    Stream,
    Venue,
)  # fmt: skip

LIQUIDATIONS, TICKERS, PING, PONG = "futures.public_liquidates", "futures.tickers", "futures.ping", "futures.pong"
STREAMS = {
    LIQUIDATIONS: Stream("public_liquidates", "liquidations", topics.LIQUIDATION),
    TICKERS: Stream("tickers", "one ticker, as a pulse", topics.TICKER, is_pulse=True),
}
ARGS = {
    "usdt": (f"usdt/{LIQUIDATIONS}:!all", f"usdt/{TICKERS}:BTC_USDT"),
    "btc": (f"btc/{LIQUIDATIONS}:!all", f"btc/{TICKERS}:BTC_USD"),
}
FRACTIONS = (("X-Gate-Size-Decimal", "1"),)


class Hosts(BaseSettings):
    """Gate's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_GATEIO_")

    ws: str = Field(
        "wss://fx-ws.gateio.ws", pattern=WS_HOST, description="WebSocket host; `/v4/ws/usdt` and so on are added"
    )
    rest: str = Field("https://api.gateio.ws", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    channel: str = ""
    event: str = ""
    error: Any = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Gate's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.channel == PONG:
        return Control("pong")
    if message.event in ("subscribe", "unsubscribe"):
        detail = str(message.error)[:200] if message.error else ""
        return Control("refused", detail=detail) if detail else Control("ack")
    if message.error:
        return Control("notice", detail=str(message.error)[:200])
    known = STREAMS.get(message.channel)
    if known is None or message.event not in ("update", "all") or message.result is msgspec.UNSET:
        return None
    return Frame(known.channel, "*", known.topic)


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    channel, _, payload = "".join(args[:1]).partition("/")[2].partition(":")
    return msgspec.json.encode({"time": 0, "channel": channel, "event": operation, "payload": [payload]}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Gate at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return tuple(
            Feed(settle, f"{hosts.ws}/v4/ws/{settle}", args, headers=FRACTIONS) for settle, args in ARGS.items()
        )

    return Venue(
        name="gateio",
        limits=Limits(
            args_per_request=1, args_per_socket=20, connects=Rate(30, 60.0), requests=Rate(10, 1.0), spacing_s=0.2
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition("/")[2].partition(":")[0]],
        liveness=Liveness("tickers", "", silent_s=60.0),
        typical={"usdt": 640, "btc": 5},
        heartbeat=Heartbeat(f'{{"channel":"{PING}"}}', every_s=18.0),
    )
