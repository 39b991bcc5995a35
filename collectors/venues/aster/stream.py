"""Aster: how to talk to its socket. Facts: exchanges/aster.md. Its messages are Binance's, on a socket without routes."""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.aster import rest
from collectors.venues.binance import rest as like
from collectors.venues.binance.stream import classify as classify_like
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
    "!forceOrder@arr": Stream("forceOrder", "liquidations", topics.LIQUIDATION),
    "!markPrice@arr": Stream("markPrice", "mark price, index, running funding", topics.TICKER),
}
CHANNELS = tuple(stream.channel for stream in STREAMS.values())


class Hosts(BaseSettings):
    """Aster's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_ASTER_")

    ws: str = Field("wss://fstream.asterdex.com", pattern=WS_HOST, description="WebSocket host; `/ws` is added")
    rest: str = Field("https://fapi.asterdex.com", pattern=REST_HOST, description="REST host")


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Aster's that we subscribe to."""
    name = classify_like(payload)
    return None if isinstance(name, Frame) and name.channel not in CHANNELS else name


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"method": operation.upper(), "params": list(args), "id": int(id)}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Aster at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/ws", tuple(STREAMS)),)

    return Venue(
        name="aster",
        # documented: 10 messages a second, 200 streams, 24 hours a socket; connections: as Binance's
        limits=Limits(args_per_request=100, args_per_socket=200, connects=Rate(300, 300.0), requests=Rate(5, 1.0)),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=like.page,
        refusal=like.refusal,
        used=like.used,
        stream=lambda arg: STREAMS[arg],
        liveness=Liveness("markPrice", "!markPrice@arr", silent_s=30.0),
        typical={rest.GROUP: 300},
        lifetime_s=23 * 3600.0,
    )
