"""HTX: how to talk to its sockets of notifications. Facts: exchanges/htx.md §1 to §3.

Arguments are written `market/topic`, such as `linear/public.*.liquidation_orders`; each is a request of its own. Every message
is packed in gzip. The venue pings each five seconds with a time that it wants back as it came, text or number; a socket is
judged by these pings, since an hour without a liquidation proves nothing.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.htx import rest
from collectors.venues.packed import gunzip
from collectors.venues.venue import (
    PINGS,
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
    "liquidation_orders": Stream("liquidation_orders", "liquidations", topics.LIQUIDATION),
    "funding_rate": Stream("funding_rate", "running funding", topics.FUNDING),
    "contract_info": Stream("contract_info", "instruments that change", topics.REFERENCE),
}
PATHS = {
    "linear": "/linear-swap-notification",
    "swap": "/swap-notification",
    "delivery": "/notification",
}
SUBSCRIBED_ALREADY = 2014


class Hosts(BaseSettings):
    """HTX's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_HTX_")

    ws: str = Field(
        "wss://api.hbdm.com",
        pattern=WS_HOST,
        description="WebSocket host; `/linear-swap-notification` and so on are added",
    )
    rest: str = Field("https://api.hbdm.com", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    op: str = ""
    topic: str = ""
    cid: str = ""
    ts: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int = msgspec.field(default=0, name="err-code")
    msg: str = msgspec.field(default="", name="err-msg")


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of HTX's notifications that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.op == "ping" and message.ts is not msgspec.UNSET:
        return Control("ping", detail=f'{{"op":"pong","ts":{bytes(message.ts).decode()}}}')
    if message.op in ("sub", "unsub"):
        detail = f"{message.code} {message.msg}".strip()[:200]
        is_done = message.code in (0, SUBSCRIBED_ALREADY)
        return Control("ack", message.cid) if is_done else Control("refused", message.cid, detail=detail)
    if message.op in ("close", "error"):
        return Control("renew", detail=f"{message.op} {message.code} {message.msg}".strip()[:200])
    if message.op != "notify" or message.data is msgspec.UNSET:
        return None
    _, _, rest_of_topic = message.topic.partition(".")
    symbol, _, kind = rest_of_topic.rpartition(".")
    known = STREAMS.get(kind)
    return Frame(known.channel, symbol or "*", known.topic) if known else None


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    market, _, topic = "".join(args[:1]).partition("/")
    wanted = {"op": "sub" if operation == "subscribe" else "unsub", "cid": id, "topic": topic}
    return msgspec.json.encode(wanted | ({"business_type": "all"} if market == "linear" else {})).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return HTX at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(_listing: Listing) -> tuple[Feed, ...]:
        return tuple(Feed(market, f"{hosts.ws}{path}", _args(market)) for market, path in PATHS.items())

    return Venue(
        name="htx",
        limits=Limits(
            args_per_request=1, args_per_socket=20, connects=Rate(10, 60.0), requests=Rate(10, 1.0), spacing_s=0.1
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.rpartition(".")[2]],
        liveness=Liveness(PINGS, "", silent_s=25.0),
        typical={"linear": 210, "swap": 40, "delivery": 8},
        unpack=gunzip,
    )


def _args(market: str) -> tuple[str, ...]:
    kinds = ("liquidation_orders", "contract_info") if market == "delivery" else tuple(STREAMS)
    return tuple(f"{market}/public.*.{kind}" for kind in kinds)
