"""BitMEX: how to talk to its socket. Facts: exchanges/bitmex.md §1, §2.

One subscription has the liquidation orders of all contracts, as a table that changes. After five quiet seconds the text
`ping` is sent, which is answered with the text `pong`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.bitmex import rest
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

LIQUIDATIONS = Stream("liquidation", "liquidations", topics.LIQUIDATION)


class Hosts(BaseSettings):
    """BitMEX' addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BITMEX_")

    ws: str = Field("wss://ws.bitmex.com", pattern=WS_HOST, description="WebSocket host; `/realtime` is added")
    rest: str = Field("https://www.bitmex.com", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    table: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    success: bool | None = None
    subscribe: str = ""
    unsubscribe: str = ""
    error: str = ""
    info: str = ""
    request: Any = None


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of BitMEX' that we know. The text `pong` is not JSON."""
    if payload == b"pong":
        return Control("pong")
    message = decoded(_message, payload)
    if message is None:
        return None
    if topic := message.subscribe or message.unsubscribe:
        return Control("ack" if message.success else "refused", arg=topic)
    if message.error:
        return Control("refused", detail=message.error[:200])
    if message.info:
        return Control("notice", detail=message.info[:200])
    is_table = message.table == LIQUIDATIONS.channel and message.data is not msgspec.UNSET
    return Frame(LIQUIDATIONS.channel, "*", LIQUIDATIONS.topic) if is_table else None


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"op": operation, "args": list(args)}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return BitMEX at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/realtime", (LIQUIDATIONS.channel,)),)

    return Venue(
        name="bitmex",
        # documented: 20 to 60 connections and 720 operations an hour (§1)
        limits=Limits(args_per_request=20, args_per_socket=100, connects=Rate(20, 3600.0), requests=Rate(100, 3600.0)),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda _: LIQUIDATIONS,
        liveness=Liveness(LIQUIDATIONS.channel, "nothing", silent_s=3600.0),
        typical={rest.GROUP: 150},
        heartbeat=Heartbeat("ping", every_s=5.0, when_quiet=True),
    )
