"""OKX v5 swaps and futures: how to talk to it. Facts: exchanges/okx.md.

Arguments are written `channel:what`, such as `liquidation-orders:SWAP` or `mark-price:BTC-USDT-SWAP`. Liquidations come
by instrument type, everything else by instrument (index tickers by index); 480 operations an hour ask for big requests.
Candles are polled, or come by a path of their own, /business. REST: rest.py.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.okx import rest
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

CANDLE = "candle1m"
BY_TYPE = ("liquidation-orders", "instruments")
STREAMS = {
    "liquidation-orders": Stream("liquidation-orders", "liquidations", topics.LIQUIDATION),
    "funding-rate": Stream("funding-rate", "running and last settled funding", topics.FUNDING),
    "open-interest": Stream("open-interest", "open interest", topics.OPEN_INTEREST),
    "mark-price": Stream("mark-price", "mark price", topics.TICKER),
    "index-tickers": Stream("index-tickers", "index price", topics.TICKER),
    "instruments": Stream("instruments", "instruments that change", topics.REFERENCE),
    CANDLE: Stream(CANDLE, "1-minute klines", topics.KLINE),
}
ANEW = ("64008", "60014", "64007")
"""What another connection cures: this one will be closed for an upgrade, has asked too often, or fails inside. Asking again
for what was refused so, and in halves, would make it worse."""


class Hosts(BaseSettings):
    """OKX's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_OKX_")

    ws: str = Field(
        "wss://ws.okx.com:8443", pattern=WS_HOST, description="WebSocket host; `/ws/v5/public` and so on are added"
    )
    rest: str = Field("https://openapi.okx.com", pattern=REST_HOST, description="REST host")


class _Arg(msgspec.Struct):
    channel: str = ""
    instType: str = ""  # noqa: N815
    instId: str = ""  # noqa: N815

    def text(self) -> str:
        return f"{self.channel}:{self.instId or self.instType}"


class _Message(msgspec.Struct):
    arg: _Arg | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    event: str = ""
    id: str = ""
    code: str = ""
    msg: str = ""


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is not one of OKX's that we know. The text `pong` is not JSON."""
    if payload == b"pong":
        return Control("pong")
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.event:
        return _control(message)
    if message.arg is None or message.data is msgspec.UNSET:
        return None
    known = STREAMS.get(message.arg.channel)
    return Frame(known.channel, message.arg.instId or "*", known.topic) if known else None


def _control(message: _Message) -> Control:
    arg = message.arg.text() if message.arg else ""
    detail = f"{message.code} {message.msg}".strip()[:200]
    if message.event in ("subscribe", "unsubscribe"):
        return Control("ack", message.id, arg)
    if message.code in ANEW:
        return Control("renew", message.id, arg, detail)
    if message.event == "error":
        return Control("refused", message.id, arg, detail)
    return Control("notice", message.id, arg, detail or message.event)


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"id": id, "op": operation, "args": [_wire(arg) for arg in args]}).decode()


def _wire(arg: str) -> dict[str, str]:
    channel, _, what = arg.partition(":")
    return {"channel": channel, "instType" if channel in BY_TYPE else "instId": what}


def _stream(arg: str) -> Stream:
    return STREAMS[arg.partition(":")[0]]


def venue(hosts: Hosts | None = None) -> Venue:
    """Return OKX at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    ticks = Liveness(CANDLE, "", silent_s=180.0)

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        candles = tuple(f"{CANDLE}:{item.symbol}" for type_ in rest.TYPES for item in listing.get(type_, ()))
        return (
            Feed("public", f"{hosts.ws}/ws/v5/public", _args(listing)),
            Feed("business", f"{hosts.ws}/ws/v5/business", candles, ticks, topics.KLINE),
        )

    return Venue(
        name="okx",
        # documented: 480 operations an hour, 64 KB a request, 3 connections a second (§1)
        limits=Limits(
            args_per_request=400,
            args_per_socket=1000,
            connects=Rate(3, 1.0),
            requests=Rate(440, 3600.0),
            spacing_s=0.5,
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=_stream,
        liveness=Liveness("mark-price", "mark-price:", silent_s=30.0),
        typical={"SWAP": 415, "FUTURES": 45},
        heartbeat=Heartbeat("ping", every_s=25.0, when_quiet=True),
    )


def _args(listing: Listing) -> tuple[str, ...]:
    args = [f"{channel}:{type_}" for type_ in rest.TYPES for channel in BY_TYPE]
    for item in (item for type_ in rest.TYPES for item in listing.get(type_, ())):
        args += [f"mark-price:{item.symbol}", f"open-interest:{item.symbol}"]
        args += [f"funding-rate:{item.symbol}"] if item.funding else []
        args += [f"index-tickers:{item.underlying}"] if item.underlying else []
    return tuple(dict.fromkeys(args))
