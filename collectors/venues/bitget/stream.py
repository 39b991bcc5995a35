"""Bitget v3: how to talk to its socket. Facts: exchanges/bitget.md §1, §2.

Arguments are written `category:topic`, with `:symbol` where the topic has one. Liquidations come by category; they exist on v3
alone, whose v2 namesake acknowledges and stays silent. One ticker is subscribed as a pulse; the others are polled (rest.py).
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.bitget import rest
from collectors.venues.decoded import decoded
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

PULSE = "usdt-futures:ticker:BTCUSDT"
STREAMS = {
    "liquidation": Stream("liquidation", "liquidations, the largest of a second", topics.LIQUIDATION),
    "ticker": Stream("ticker", "one ticker, as a pulse", topics.TICKER, is_pulse=True),
}


class Hosts(BaseSettings):
    """Bitget's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BITGET_")

    ws: str = Field("wss://ws.bitget.com", pattern=WS_HOST, description="WebSocket host; `/v3/ws/public` is added")
    rest: str = Field("https://api.bitget.com", pattern=REST_HOST, description="REST host")


class _Arg(msgspec.Struct):
    instType: str = ""  # noqa: N815
    topic: str = ""
    symbol: str = ""

    def text(self) -> str:
        return ":".join(each for each in (self.instType, self.topic, self.symbol) if each)


class _Message(msgspec.Struct):
    arg: _Arg | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    event: str = ""
    code: int | str = ""
    msg: str = ""


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Bitget's that we know. The text `pong` is not JSON."""
    if payload == b"pong":
        return Control("pong")
    message = decoded(_message, payload)
    if message is None:
        return None
    arg = message.arg.text() if message.arg else ""
    if message.event in ("subscribe", "unsubscribe"):
        return Control("ack", arg=arg)
    if message.event == "error":
        return Control("refused", arg=arg, detail=f"{message.code} {message.msg}".strip()[:200])
    if message.event:
        return Control("notice", arg=arg, detail=message.event[:200])
    if message.arg is None or message.data is msgspec.UNSET:
        return None
    known = STREAMS.get(message.arg.topic)
    return Frame(known.channel, message.arg.symbol or "*", known.topic) if known else None


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"op": operation, "args": [_wire(arg) for arg in args]}).decode()


def _wire(arg: str) -> dict[str, str]:
    return dict(zip(("instType", "topic", "symbol"), arg.split(":"), strict=False))


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Bitget at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    args = (*(f"{category.lower()}:liquidation" for category in rest.CATEGORIES), PULSE)

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/v3/ws/public", args),)

    return Venue(
        name="bitget",
        # ten messages a second a socket (§1); connections: not said, so a careful guess
        limits=Limits(
            args_per_request=20, args_per_socket=100, connects=Rate(10, 60.0), requests=Rate(8, 1.0), spacing_s=0.2
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.split(":")[1]],
        liveness=Liveness("ticker", PULSE, silent_s=60.0),
        typical={"USDT-FUTURES": 620, "COIN-FUTURES": 25, "USDC-FUTURES": 45},
        heartbeat=Heartbeat("ping", every_s=30.0),
    )
