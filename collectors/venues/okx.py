"""OKX v5 swaps and futures: how to talk to it. Facts: exchanges/okx.md.

Arguments are written `channel:what`, such as `liquidation-orders:SWAP` or `mark-price:BTC-USDT-SWAP`. Liquidations come
by instrument type, everything else by instrument (index tickers by index); 480 operations an hour ask for big requests.
"""

from collections.abc import Sequence

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
    Heartbeat,
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

TYPES = ("SWAP", "FUTURES")
BY_TYPE = ("liquidation-orders", "instruments")
CHANNELS = {
    "liquidation-orders": topics.LIQUIDATION,
    "funding-rate": topics.FUNDING,
    "open-interest": topics.OPEN_INTEREST,
    "mark-price": topics.TICKER,
    "index-tickers": topics.TICKER,
    "instruments": topics.REFERENCE,
}
UPGRADE_NOTICE = "64008"
TOO_MANY_REQUESTS = "50011"
NOT_SUBSCRIBED = ("preopen", "test", "expired")


class Hosts(BaseSettings):
    """OKX's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_OKX_")

    ws: str = Field("wss://ws.okx.com:8443", pattern=WS_HOST, description="WebSocket host; `/ws/v5/public` is added")
    rest: str = Field("https://www.okx.com", pattern=REST_HOST, description="REST host")


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


class _Instrument(msgspec.Struct):
    instId: str  # noqa: N815
    uly: str = ""
    state: str = ""
    instType: str = ""  # noqa: N815
    ruleType: str = ""  # noqa: N815


class _InstrumentsAnswer(msgspec.Struct):
    data: list[_Instrument]


class _Code(msgspec.Struct):
    code: str = "0"
    msg: str = ""


_message = msgspec.json.Decoder(_Message)
_instruments = msgspec.json.Decoder(_InstrumentsAnswer)
_code = msgspec.json.Decoder(_Code)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is not one of OKX's that we know. The text `pong` is not JSON."""
    if payload == b"pong":
        return Control("pong")
    try:
        message = _message.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if message.event:
        return _control(message)
    if message.arg is None or message.data is msgspec.UNSET:
        return None
    topic = CHANNELS.get(message.arg.channel)
    return Frame(message.arg.channel, message.arg.instId or "*", topic) if topic else None


def _control(message: _Message) -> Control:
    arg = message.arg.text() if message.arg else ""
    detail = f"{message.code} {message.msg}".strip()[:200]
    if message.event in ("subscribe", "unsubscribe"):
        return Control("ack", message.id, arg)
    if message.event == "error":
        return Control("refused", message.id, arg, detail)
    return Control("renew" if message.code == UPGRADE_NOTICE else "notice", message.id, arg, detail or message.event)


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"id": id, "op": operation, "args": [_wire(arg) for arg in args]}).decode()


def _wire(arg: str) -> dict[str, str]:
    channel, _, what = arg.partition(":")
    return {"channel": channel, "instType" if channel in BY_TYPE else "instId": what}


def _page(body: bytes) -> Page:
    subscribed = (i for i in _instruments.decode(body).data if i.state not in NOT_SUBSCRIBED)
    return Page(tuple(Listed(i.instId, i.uly, i.instType == "SWAP" or i.ruleType == "xperp") for i in subscribed))


def _refusal(answer: Answer) -> Refusal | None:
    try:
        code = _code.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        code = _Code()
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 429 or code.code == TOO_MANY_REQUESTS:
        return Refusal(reason, retry_after_s(answer, 10.0))
    if answer.status == 403:
        return Refusal(reason, retry_after_s(answer, 300.0))
    return Refusal(reason) if answer.status != 200 or code.code != "0" else None


def venue(hosts: Hosts | None = None) -> Venue:
    """Return OKX at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/ws/v5/public", _args(listing)),)

    instruments = tuple(
        Poll(
            "instruments", topics.REFERENCE, f"{hosts.rest}/api/v5/public/instruments", 600.0,
            (("instType", type_),), group=type_, lists=True,
        )
        for type_ in TYPES
    )  # fmt: skip
    return Venue(
        name="okx",
        # documented: 480 operations an hour, 64 KB a request, 3 connections a second, 20 requests in 2 s (§1, §8)
        limits=Limits(
            args_per_request=400,
            args_per_socket=1000,
            connects=Rate(3, 1.0),
            requests=Rate(440, 3600.0),
            spacing_s=0.5,
        ),
        budget=Rate(20, 2.0),
        polls=instruments,
        feeds=feeds,
        request=_request,
        classify=classify,
        page=_page,
        refusal=_refusal,
        liveness=Liveness("mark-price", "mark-price:", silent_s=30.0),
        heartbeat=Heartbeat("ping", every_s=25.0, when_quiet=True),
    )


def _args(listing: Listing) -> tuple[str, ...]:
    args = [f"{channel}:{type_}" for type_ in TYPES for channel in BY_TYPE]
    for item in (item for type_ in TYPES for item in listing.get(type_, ())):
        args += [f"mark-price:{item.symbol}", f"open-interest:{item.symbol}"]
        args += [f"funding-rate:{item.symbol}"] if item.funding else []
        args += [f"index-tickers:{item.underlying}"] if item.underlying else []
    return tuple(dict.fromkeys(args))
