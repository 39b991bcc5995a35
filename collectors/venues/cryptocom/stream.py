"""Crypto.com: how to talk to its socket. Facts: exchanges/crypto-com.md.

Arguments are channels as the venue writes them: `funding.BTCUSD-PERP`, `mark.BTCUSD-PERP`, `index.BTCUSD-INDEX`. A
client waits a second before it asks, and answers the venue's heartbeats.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.cryptocom import rest
from collectors.venues.decoded import decoded
from collectors.venues.venue import (
    REST_HOST,
    WS_HOST,
    Control,
    Feed,
    Frame,
    Limits,
    Listing,
    Liveness,
    Operation,
    Rate,
    Stream,
    Venue,
)  # fmt: skip

STREAMS = {
    "funding": Stream("funding", "running funding", topics.FUNDING),
    "mark": Stream("mark", "mark price", topics.TICKER),
    "index": Stream("index", "index price", topics.TICKER),
}


class Hosts(BaseSettings):
    """Crypto.com's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_CRYPTOCOM_")

    ws: str = Field(
        "wss://stream.crypto.com", pattern=WS_HOST, description="WebSocket host; `/exchange/v1/market` is added"
    )
    rest: str = Field("https://api.crypto.com", pattern=REST_HOST, description="REST host; `/exchange/v1` is added")


class _Result(msgspec.Struct):
    channel: str = ""
    instrument_name: str = "*"


class _Message(msgspec.Struct):
    id: int = 0
    method: str = ""
    code: int = 0
    message: str = ""
    result: _Result | None = None


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Crypto.com's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.method == "public/heartbeat":
        return Control("ping", detail=f'{{"id":{message.id},"method":"public/respond-heartbeat"}}')
    if message.result and message.result.channel:
        known = STREAMS.get(message.result.channel)
        return Frame(known.channel, message.result.instrument_name, known.topic) if known else None
    if message.method in ("subscribe", "unsubscribe"):
        detail = f"{message.code} {message.message}".strip()[:200]
        return Control("refused", str(message.id), detail=detail) if message.code else Control("ack", str(message.id))
    return None


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"id": int(id), "method": operation, "params": {"channels": list(args)}}).decode()


def _args(listing: Listing) -> tuple[str, ...]:
    items = listing.get(rest.GROUP, ())
    args = [f"mark.{item.symbol}" for item in items] + [f"funding.{item.symbol}" for item in items if item.funding]
    return tuple(dict.fromkeys([*args, *(f"index.{item.underlying}" for item in items if item.underlying)]))


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Crypto.com at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/exchange/v1/market", _args(listing)),)

    return Venue(
        name="cryptocom",
        # a second after connecting is documented; the others are careful guesses
        limits=Limits(
            args_per_request=50, args_per_socket=400, connects=Rate(10, 60.0), requests=Rate(10, 1.0), opening_s=1.0
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition(".")[0]],
        liveness=Liveness("mark", "mark.", silent_s=30.0),
        typical={rest.GROUP: 190},
    )
