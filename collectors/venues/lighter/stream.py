"""Lighter: how to talk to its sockets. Facts: pipelines/venues/lighter/README.md.

Arguments are written as the venue does, `trade/1` and `market_stats/all`; its messages write `trade:1`. A subscription is
acknowledged by its first data, which are kept: of trades the market's latest, with its latest liquidations.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.lighter import rest
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

TRADE, STATS, ALL = "trade", "market_stats", "market_stats/all"
STREAMS = {
    TRADE: Stream(TRADE, "liquidations, beside trades", topics.LIQUIDATION),
    STATS: Stream(STATS, "mark price, index, running funding, open interest", topics.TICKER),
}
FLAGS = (b'"liquidation"', b'"deleverage"')
"""Types of trades that are forced; what has none of them goes where tickers go."""


class Hosts(BaseSettings):
    """Lighter's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_LIGHTER_")

    ws: str = Field(
        "wss://mainnet.zklighter.elliot.ai", pattern=WS_HOST, description="WebSocket host; `/stream` is added"
    )
    rest: str = Field("https://mainnet.zklighter.elliot.ai", pattern=REST_HOST, description="REST host")


class _Error(msgspec.Struct):
    message: str = ""


class _Message(msgspec.Struct):
    type: str = ""
    channel: str = ""
    error: _Error | None = None


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Lighter's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.error:
        return Control("refused", detail=message.error.message[:200])
    kind, _, channel = message.type.partition("/")
    name, _, market = message.channel.partition(":")
    if kind in ("subscribed", "update") and channel == name and name in STREAMS:
        is_forced = name == TRADE and any(flag in payload for flag in FLAGS)
        topic = topics.LIQUIDATION if is_forced else topics.TICKER
        acks = f"{name}/{market}" if kind == "subscribed" else ""
        return Frame(name, "*" if market == "all" else market or "*", topic, acks)
    if kind in ("unsubscribed", "connected"):
        return Control("ack" if channel or name else "notice", arg=f"{name}/{market}" if market else "", detail=kind)
    if kind == "ping":
        return Control("ping", detail='{"type":"pong"}')
    return Control("pong") if kind == "pong" else None


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"type": operation, "channel": "".join(args[:1])}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Lighter at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    url = f"{hosts.ws}/stream?readonly=true"

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        trades = tuple(f"{TRADE}/{item.symbol}" for item in listing.get(rest.GROUP, ()))
        return (Feed("stats", url, (ALL,)), Feed("trades", url, trades))

    return Venue(
        name="lighter",
        # documented: 100 subscriptions a socket, 200 messages a minute of an address; a socket sends at most 60
        limits=Limits(
            args_per_request=1, args_per_socket=100, connects=Rate(20, 60.0), requests=Rate(60, 60.0), spacing_s=0.35
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition("/")[0]],
        liveness=Liveness(STATS, STATS, silent_s=60.0),
        typical={rest.GROUP: 150},
        heartbeat=Heartbeat('{"type":"ping"}', every_s=50.0),
    )
