"""Bybit v5 linear and inverse: how to talk to it. Facts: exchanges/bybit.md.

There is no all-market topic but two topics a symbol, so new listings are subscribed as they appear. One unknown topic
makes the venue reject the whole request (§1), so requests are small and a rejected one is split until it is found.
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

CATEGORIES = ("linear", "inverse")
CHANNELS = {
    "allLiquidation": topics.LIQUIDATION,
    "liquidation": topics.LIQUIDATION,
    "tickers": topics.TICKER,
}
TOO_MANY_VISITS = 10006


class Hosts(BaseSettings):
    """Bybit's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BYBIT_")

    ws: str = Field(
        "wss://stream.bybit.com", pattern=WS_HOST, description="WebSocket host; `/v5/public/linear` and so on are added"
    )
    rest: str = Field("https://api.bybit.com", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""


class _Instrument(msgspec.Struct):
    symbol: str
    status: str = ""
    contractType: str = ""  # noqa: N815


class _Instruments(msgspec.Struct):
    list: list[_Instrument]
    nextPageCursor: str = ""  # noqa: N815


class _InstrumentsAnswer(msgspec.Struct):
    result: _Instruments


class _Code(msgspec.Struct):
    retCode: int = 0  # noqa: N815
    retMsg: str = ""  # noqa: N815


_message = msgspec.json.Decoder(_Message)
_instruments = msgspec.json.Decoder(_InstrumentsAnswer)
_code = msgspec.json.Decoder(_Code)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is not one of Bybit's that we know."""
    try:
        message = _message.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if message.topic:
        channel, _, symbol = message.topic.partition(".")
        topic = CHANNELS.get(channel)
        return Frame(channel, symbol or "*", topic) if topic else None
    if message.op in ("ping", "pong"):
        return Control("pong", message.req_id)
    if message.success is None:
        return None
    return Control("ack" if message.success else "refused", message.req_id, detail=message.ret_msg[:200])


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"req_id": id, "op": operation, "args": args}).decode()


def _page(body: bytes) -> Page:
    result = _instruments.decode(body).result
    listed = tuple(Listed(i.symbol, funding="Perpetual" in i.contractType) for i in result.list)
    return Page(listed, (("cursor", result.nextPageCursor),) if result.nextPageCursor else ())


def _refusal(answer: Answer) -> Refusal | None:
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status in (403, 429):
        # 403 "access too frequent" lifts after 10 minutes without any request (§9)
        return Refusal(reason, retry_after_s(answer, 600.0 if answer.status == 403 else 60.0))
    if answer.status != 200:
        return Refusal(reason)
    try:
        code = _code.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if code.retCode == TOO_MANY_VISITS:
        return Refusal(f"retCode {code.retCode}: {code.retMsg}", _until_reset_s(answer))
    return Refusal(f"retCode {code.retCode}: {code.retMsg}") if code.retCode else None


def _until_reset_s(answer: Answer) -> float:
    reset_ms = answer.headers.get("x-bapi-limit-reset-timestamp", "")
    wait = int(reset_ms) / 1000 - answer.received_s if reset_ms.isdecimal() else 5.0
    return retry_after_s(answer, min(max(wait, 1.0), 600.0))


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Bybit at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        return tuple(
            Feed(category, f"{hosts.ws}/v5/public/{category}", _topics(listing[category]))
            for category in CATEGORIES
            if category in listing
        )

    instruments = tuple(
        Poll(
            "instruments-info", topics.REFERENCE, f"{hosts.rest}/v5/market/instruments-info", 600.0,
            (("category", category), ("limit", "1000")), group=category, lists=True,
        )
        for category in CATEGORIES
    )  # fmt: skip
    return Venue(
        name="bybit",
        # documented: 21,000 characters of args a connection, 500 connections in 5 minutes, 600 requests in 5 s (§1, §9)
        limits=Limits(
            args_per_request=100,
            args_per_socket=2000,
            chars_per_socket=20_500,
            connects=Rate(500, 300.0),
            requests=Rate(10, 1.0),
            spacing_s=0.1,
        ),
        budget=Rate(600, 5.0),
        polls=instruments,
        feeds=feeds,
        request=_request,
        classify=classify,
        page=_page,
        refusal=_refusal,
        liveness=Liveness("tickers", "tickers.", silent_s=20.0),
        heartbeat=Heartbeat('{"op":"ping"}', every_s=20.0),
    )


def _topics(listed: Sequence[Listed]) -> tuple[str, ...]:
    return tuple(f"{channel}.{item.symbol}" for item in listed for channel in ("allLiquidation", "tickers"))
