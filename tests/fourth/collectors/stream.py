"""Acme's socket and its list of contracts."""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.answers import excerpt
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
    Stream,
    Venue,
)  # fmt: skip

LIQUIDATIONS = Stream("liquidations", "liquidations", topics.LIQUIDATION)


class Hosts(BaseSettings):
    """Acme's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_ACME_")

    ws: str = Field("wss://ws.acme.example", pattern=WS_HOST, description="WebSocket host")
    rest: str = Field("https://api.acme.example", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    channel: str = ""
    symbol: str = ""
    ack: str = ""


class _Contracts(msgspec.Struct):
    contracts: list[dict[str, str]]


_message, _contracts = msgspec.json.Decoder(_Message), msgspec.json.Decoder(_Contracts)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Acme's."""
    try:
        message = _message.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if message.ack:
        return Control("ack", message.ack)
    return Frame("liquidations", message.symbol, topics.LIQUIDATION) if message.channel == "liquidations" else None


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    return msgspec.json.encode({"op": operation, "id": id, "symbols": list(args)}).decode()


def _page(body: bytes) -> Page:
    return Page(tuple(Listed(each["symbol"]) for each in _contracts.decode(body).contracts))


def _refusal(answer: Answer) -> Refusal | None:
    return None if answer.status == 200 else Refusal(f"HTTP {answer.status}: {excerpt(answer.body)}", 10.0)


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Acme at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        return (Feed("public", f"{hosts.ws}/v1", tuple(item.symbol for item in listing.get("perp", ()))),)

    contracts = Poll(
        "contracts", "contracts", topics.REFERENCE, f"{hosts.rest}/v1/contracts", 600.0, group="perp", lists=True
    )
    return Venue(
        name="acme", limits=Limits(50, 500, Rate(5, 1.0), Rate(100, 60.0)), budgets={"requests": Rate(10, 1.0)},
        polls=(contracts,), feeds=feeds, request=_request, classify=classify, page=_page, refusal=_refusal,
        stream=lambda _: LIQUIDATIONS, liveness=Liveness("liquidations", "", silent_s=3600.0), typical={"perp": 40},
    )  # fmt: skip
