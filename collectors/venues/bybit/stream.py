"""Bybit v5 linear and inverse: how to talk to it. Facts: exchanges/bybit.md.

There is no all-market topic but three topics a symbol, so new listings are subscribed as they appear. One unknown topic
makes the venue reject the whole request (§1), so requests are small and a rejected one is split until it is found. Klines
are polled, or come by sockets of their own, so that liquidations never wait behind them. REST: rest.py.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.bybit import rest
from collectors.venues.decoded import decoded
from collectors.venues.venue import (
    REST_HOST,
    WS_HOST,
    Control,
    Feed,
    Frame,
    Heartbeat,
    Limits,
    Listed,
    Listing,
    Liveness,
    Operation,
    Rate,
    Stream,
    Venue,
)  # fmt: skip

KLINE = "kline.1"
STREAMS = {
    "allLiquidation": Stream("allLiquidation", "liquidations", topics.LIQUIDATION),
    "tickers": Stream("tickers", "mark price, index, running funding, open interest", topics.TICKER),
    KLINE: Stream(KLINE, "1-minute klines", topics.KLINE),
}
TOPICS = {channel: stream.topic for channel, stream in STREAMS.items()} | {"liquidation": topics.LIQUIDATION}


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


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is not one of Bybit's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.topic:
        channel, _, symbol = message.topic.rpartition(".")
        topic = TOPICS.get(channel)
        return Frame(channel, symbol or "*", topic) if topic else None
    if message.op in ("ping", "pong"):
        return Control("pong", message.req_id)
    if message.success is None:
        return None
    return Control("ack" if message.success else "refused", message.req_id, detail=message.ret_msg[:200])


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"req_id": id, "op": operation, "args": args}).decode()


def _stream(arg: str) -> Stream:
    return STREAMS[arg.rpartition(".")[0]]


def _args(listed: Sequence[Listed], *channels: str) -> tuple[str, ...]:
    return tuple(f"{channel}.{item.symbol}" for item in listed for channel in channels)


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Bybit at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    ticks = Liveness(KLINE, "", silent_s=180.0)

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        urls = {category: f"{hosts.ws}/v5/public/{category}" for category in rest.CATEGORIES if category in listing}
        items = {c: (*listing[c], *listing.get(rest.before_launch(c), ())) for c in urls}
        return (
            *(Feed(c, url, _args(items[c], "allLiquidation", "tickers")) for c, url in urls.items()),
            *(Feed(f"{c}-kline", url, _args(items[c], KLINE), ticks, topics.KLINE) for c, url in urls.items()),
        )

    return Venue(
        name="bybit",
        # documented: 21,000 characters of args a connection, 500 connections in 5 minutes (§1)
        limits=Limits(
            args_per_request=100,
            args_per_socket=2000,
            chars_per_socket=20_500,
            connects=Rate(500, 300.0),
            requests=Rate(10, 1.0),
            spacing_s=0.1,
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=_stream,
        liveness=Liveness("tickers", "tickers.", silent_s=20.0),
        typical={"linear": 775, "inverse": 25},
        heartbeat=Heartbeat('{"op":"ping"}', every_s=20.0),
    )
