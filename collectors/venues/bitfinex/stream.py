"""Bitfinex: how to talk to its socket. Facts: exchanges/bitfinex.md §1, §2.

One channel, `status` with the key `liq:global`, has the liquidations of all contracts. Its frames name no channel, only
a number that is new with each connection; nothing else is subscribed here, so what has the form of a liquidation is
one. The venue says `hb` each 15 s in which nothing happens; a socket that does not is dead.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.bitfinex import rest
from collectors.venues.venue import (
    ANY,
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

LIQUIDATIONS = Stream("status-liq-global", "liquidations", topics.LIQUIDATION)
KEY = "liq:global"
RECONNECT = 20051


class Hosts(BaseSettings):
    """Bitfinex's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BITFINEX_")

    ws: str = Field("wss://api-pub.bitfinex.com", pattern=WS_HOST, description="WebSocket host; `/ws/2` is added")
    rest: str = Field("https://api-pub.bitfinex.com", pattern=REST_HOST, description="REST host")


class _Event(msgspec.Struct):
    event: str
    channel: str = ""
    key: str = ""
    code: int = 0
    msg: str = ""


_event = msgspec.json.Decoder(_Event)
_list = msgspec.json.Decoder(list[Any])


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is neither an event nor of the form of liquidations."""
    try:
        if payload.lstrip()[:1] == b"{":
            return _control(_event.decode(payload))
        found = _list.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if len(found) < 2 or type(found[0]) is not int:
        return None
    if found[1] == "hb":
        return Control("ping")
    return Frame(LIQUIDATIONS.channel, "*", LIQUIDATIONS.topic) if _are_liquidations(found[1]) else None


def _are_liquidations(body: Any) -> bool:
    if not isinstance(body, list):
        return False
    return not body or (isinstance(body[0], list) and body[0][:1] == ["pos"])


def _control(event: _Event) -> Control | None:
    arg = f"{event.channel}:{event.key}" if event.key else ""
    if event.event in ("subscribed", "unsubscribed"):
        return Control("ack", arg=arg)
    detail = f"{event.code or ''} {event.msg}".strip()[:200]
    if event.event == "error":
        return Control("refused", arg=arg, detail=detail)
    if event.event in ("info", "conf", "pong"):
        return Control("renew" if event.code == RECONNECT else "notice", detail=detail or event.event)
    return None


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    channel, _, key = "".join(args[:1]).partition(":")
    return msgspec.json.encode({"event": operation, "channel": channel, "key": key}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Bitfinex at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/ws/2", (f"status:{KEY}",)),)

    return Venue(
        name="bitfinex",
        # documented: 25 channels a socket, 20 new sockets a minute (§1)
        limits=Limits(args_per_request=1, args_per_socket=25, connects=Rate(20, 60.0), requests=Rate(10, 60.0)),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda _: LIQUIDATIONS,
        liveness=Liveness(ANY, "", silent_s=60.0),
        typical={rest.GROUP: 60},
    )
