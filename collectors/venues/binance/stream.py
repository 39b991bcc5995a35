"""Binance USD-M (um) and COIN-M (cm): how to talk to it. Facts: exchanges/binance.md.

Since 2026-06-30 the all-market streams carry both universes on either host (§2), so one socket on the UM host's `/market/ws`
suffices, and the CM host is another route. The UM host's unrouted paths acknowledge and stay silent (§1), which only the mark
price's one-second tick can show. Klines have no
all-market stream: one stream a contract, on the host of its universe, 200 a socket, a push every 250 ms; so they are polled
unless a setting asks for the streams. REST: rest.py.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.answers import excerpt
from collectors.venues.binance import rest
from collectors.venues.venue import (
    REST_HOST,
    WS_HOST,
    Control,
    Feed,
    Frame,
    Limits,
    Listed,
    Listing,
    Liveness,
    Operation,
    Rate,
    Stream,
    Venue,
)  # fmt: skip

KLINE = "kline_1m"
STREAMS = {
    "!forceOrder@arr": Stream("forceOrder", "liquidations", topics.LIQUIDATION),
    "!markPrice@arr@1s": Stream("markPrice", "mark price, index, running funding", topics.TICKER),
    "!contractInfo": Stream("contractInfo", "leverage brackets that change", topics.REFERENCE),
}
KLINES = Stream(KLINE, "1-minute klines", topics.KLINE)
BY_EVENT = {
    "forceOrder": STREAMS["!forceOrder@arr"],
    "markPriceUpdate": STREAMS["!markPrice@arr@1s"],
    "contractInfo": STREAMS["!contractInfo"],
}


class Hosts(BaseSettings):
    """Binance's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BINANCE_")

    um_ws: str = Field(
        "wss://fstream.binance.com",
        pattern=WS_HOST,
        description="WebSocket host of USD-M futures; `/market/ws` is added",
    )
    cm_ws: str = Field(
        "wss://dstream.binance.com", pattern=WS_HOST, description="WebSocket host of COIN-M futures; `/ws` is added"
    )
    um_rest: str = Field("https://fapi.binance.com", pattern=REST_HOST, description="REST host of USD-M futures")
    cm_rest: str = Field("https://dapi.binance.com", pattern=REST_HOST, description="REST host of COIN-M futures")


class _Order(msgspec.Struct):
    s: str = "*"


class _Event(msgspec.Struct):
    e: str = ""
    s: str = "*"


class _ForceOrder(msgspec.Struct):
    o: _Order


class _Candle(msgspec.Struct):
    i: str


class _Kline(msgspec.Struct):
    k: _Candle


class _Message(msgspec.Struct):
    e: str = ""
    s: str = "*"
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str = ""


_message = msgspec.json.Decoder(_Message)
_events = msgspec.json.Decoder(list[_Event])
_force_order = msgspec.json.Decoder(_ForceOrder)
_kline = msgspec.json.Decoder(_Kline)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is not one of Binance's that we know. Raw and combined form are both understood."""
    try:
        if payload[:1] == b"[":
            return _array(payload)
        message = _message.decode(payload)
        if message.e:
            return _single(message.e, message.s, payload)
        if message.data is not msgspec.UNSET:
            return classify(bytes(message.data))
        return _control(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _single(event: str, symbol: str, payload: bytes) -> Frame | None:
    if event == "kline":
        return Frame(f"kline_{_kline.decode(payload).k.i}", symbol, topics.KLINE)
    if (known := BY_EVENT.get(event)) is None:
        return None
    own = _force_order.decode(payload).o.s if event == "forceOrder" else symbol
    return Frame(known.channel, own, known.topic)


def _array(payload: bytes) -> Frame | None:
    events = _events.decode(payload)
    known = BY_EVENT.get(events[0].e) if events else None
    return Frame(known.channel, "*", known.topic) if known else None


def _control(message: _Message) -> Control | None:
    id = "" if message.id is None else str(message.id)
    if message.error is not msgspec.UNSET:
        return Control("refused", id, detail=excerpt(bytes(message.error)))
    if message.code is not None and message.msg:
        return Control("refused", id, detail=f"{message.code} {message.msg}"[:200])
    return Control("ack", id) if message.result is not msgspec.UNSET and id else None


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    message = {"method": operation.upper(), "params": args, "id": int(id)}
    return msgspec.json.encode(message).decode()


def _stream(arg: str) -> Stream:
    return STREAMS.get(arg, KLINES)


def _klines(listed: Sequence[Listed]) -> tuple[str, ...]:
    return tuple(f"{item.symbol.lower()}@{KLINE}" for item in listed)


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Binance at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    um, cm = f"{hosts.um_ws}/market/ws", f"{hosts.cm_ws}/ws"
    ticks = Liveness(KLINE, "", silent_s=180.0)

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        return (
            Feed("um", um, tuple(STREAMS), routes=(cm, f"{hosts.um_ws}/market/stream")),
            Feed("um-kline", um, _klines(listing.get("um", ())), ticks, topics.KLINE),
            Feed("cm-kline", cm, _klines(listing.get("cm", ())), ticks, topics.KLINE),
        )

    return Venue(
        name="binance",
        # documented: 10 messages a second, 1024 streams (200 in older pages), 300 connections in 5 minutes (§1)
        limits=Limits(args_per_request=100, args_per_socket=200, connects=Rate(300, 300.0), requests=Rate(5, 1.0)),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.um_rest, hosts.cm_rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        used=rest.used,
        stream=_stream,
        liveness=Liveness("markPrice", "!markPrice@arr", silent_s=15.0),
        typical={"um": 650, "cm": 50},
        lifetime_s=23 * 3600.0,
    )
