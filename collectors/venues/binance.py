"""Binance USD-M (um) and COIN-M (cm): how to talk to it. Facts: exchanges/binance.md.

Since 2026-06-30 the all-market streams of the UM host carry both universes, so one socket on `/market/ws` suffices; the
unrouted paths acknowledge and stay silent (§1), which only the mark price's one-second tick can show. Open interest is
REST only, one symbol a request (§4).
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.answers import excerpt, retry_after_s
from collectors.venues.venue import (
    REST_HOST,
    WS_HOST,
    Answer,
    Control,
    Feed,
    Frame,
    Limits,
    Listed,
    Listing,
    Liveness,
    Operation,
    Page,
    Poll,
    Rate,
    Refusal,
    Venue,
)  # fmt: skip

MINUTE_S = 60.0
STREAMS = ("!forceOrder@arr", "!markPrice@arr@1s", "!contractInfo")
CHANNELS = {
    "forceOrder": ("forceOrder", topics.LIQUIDATION),
    "markPriceUpdate": ("markPrice", topics.TICKER),
    "contractInfo": ("contractInfo", topics.REFERENCE),
}
BANNED_UNTIL = re.compile(rb"banned until (\d{13})")


class Hosts(BaseSettings):
    """Binance's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BINANCE_")

    um_ws: str = Field(
        "wss://fstream.binance.com",
        pattern=WS_HOST,
        description="WebSocket host of USD-M futures; `/market/ws` is added",
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


class _Message(msgspec.Struct):
    e: str = ""
    s: str = "*"
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str = ""


class _Symbol(msgspec.Struct):
    symbol: str
    status: str = ""
    contractStatus: str = ""  # noqa: N815
    contractType: str = ""  # noqa: N815


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


_message = msgspec.json.Decoder(_Message)
_events = msgspec.json.Decoder(list[_Event])
_force_order = msgspec.json.Decoder(_ForceOrder)

_exchange_info = msgspec.json.Decoder(_ExchangeInfo)


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
    if (known := CHANNELS.get(event)) is None:
        return None
    channel, topic = known
    return Frame(channel, _force_order.decode(payload).o.s if channel == "forceOrder" else symbol, topic)


def _array(payload: bytes) -> Frame | None:
    events = _events.decode(payload)
    known = CHANNELS.get(events[0].e) if events else None
    return Frame(known[0], "*", known[1]) if known else None


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


def _page(body: bytes) -> Page:
    symbols = _exchange_info.decode(body).symbols
    trading = (s for s in symbols if "TRADING" in (s.status, s.contractStatus))
    return Page(tuple(Listed(s.symbol, funding="PERPETUAL" in s.contractType) for s in trading))


def _refusal(answer: Answer) -> Refusal | None:
    if answer.status == 200:
        return None
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 418:
        until = BANNED_UNTIL.search(answer.body)
        wait = int(until[1]) / 1000 - answer.received_s if until else 120.0
        return Refusal(reason, retry_after_s(answer, max(wait, 1.0)))
    stops = {429: 60.0, 403: 300.0, 451: 3600.0}
    return Refusal(reason, retry_after_s(answer, stops[answer.status]) if answer.status in stops else 0.0)


def _used(headers: Mapping[str, str]) -> int | None:
    used = headers.get("x-mbx-used-weight-1m", "")
    return int(used) if used.isdecimal() else None


def _polls(hosts: Hosts) -> tuple[Poll, ...]:
    polls = []
    for group, host, api in (("um", hosts.um_rest, "fapi"), ("cm", hosts.cm_rest, "dapi")):
        base = f"{host}/{api}/v1"
        polls += [
            Poll(f"{group}_exchangeInfo", topics.REFERENCE, f"{base}/exchangeInfo", 600.0, group=group, lists=True),
            # fundingInfo has a bucket of its own: 500 requests in 5 minutes, no weight (§3)
            Poll(f"{group}_fundingInfo", topics.FUNDING, f"{base}/fundingInfo", 600.0, cost=0),
            Poll(
                f"{group}_openInterest", topics.OPEN_INTEREST, f"{base}/openInterest", MINUTE_S, group=group,
                symbol_param="symbol",
            ),
        ]  # fmt: skip
    return tuple(polls)


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Binance at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    feed = Feed("um", f"{hosts.um_ws}/market/ws", STREAMS)

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return (feed,)

    return Venue(
        name="binance",
        # documented: 10 messages a second, 1024 streams (200 in older pages), 300 connections in 5 minutes (§1)
        limits=Limits(args_per_request=100, args_per_socket=200, connects=Rate(300, 300.0), requests=Rate(5, 1.0)),
        budget=Rate(2400, MINUTE_S),
        polls=_polls(hosts),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=_page,
        refusal=_refusal,
        used=_used,
        liveness=Liveness("markPrice", "!markPrice@arr", silent_s=15.0),
        lifetime_s=23 * 3600.0,
    )
