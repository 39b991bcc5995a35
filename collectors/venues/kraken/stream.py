"""Kraken Futures: how to talk to its socket. Facts: exchanges/kraken-futures.md §1 to §4.

Arguments are written `feed:product`; a request is of one feed, so trades and tickers have a socket each, and every product is
acknowledged by itself. Liquidations are trades with a flag. A frame that has none goes where tickers go, and is not kept for
ever.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.kraken import rest
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
    "trade": Stream("trade", "liquidations, flagged among trades", topics.LIQUIDATION),
    "ticker": Stream("ticker", "mark price, index, running funding, open interest", topics.TICKER),
}
SNAPSHOT = "trade_snapshot"
FLAG = b'"liquidation"'


class Hosts(BaseSettings):
    """Kraken Futures' addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_KRAKEN_")

    ws: str = Field("wss://futures.kraken.com", pattern=WS_HOST, description="WebSocket host; `/ws/v1` is added")
    rest: str = Field("https://futures.kraken.com", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    event: str = ""
    feed: str = ""
    product_id: str = ""
    product_ids: list[str] = msgspec.field(default_factory=list)
    message: str = ""


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Kraken's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.event:
        return _control(message)
    if message.feed in ("trade", SNAPSHOT):
        topic = topics.LIQUIDATION if FLAG in payload else topics.TICKER
        return Frame("trade", message.product_id or "*", topic)
    known = STREAMS.get(message.feed)
    return Frame(known.channel, message.product_id or "*", known.topic) if known else None


def _control(message: _Message) -> Control:
    arg = f"{message.feed}:{message.product_ids[0]}" if message.feed and message.product_ids else ""
    if message.event in ("subscribed", "unsubscribed"):
        return Control("ack", arg=arg)
    if message.event in ("error", "subscribed_failed"):
        return Control("refused", arg=arg, detail=message.message[:200] or message.event)
    return Control("notice", arg=arg, detail=(message.message or message.event)[:200])


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    feed = "".join(args[:1]).partition(":")[0]
    products = [arg.partition(":")[2] for arg in args]
    return msgspec.json.encode({"event": operation, "feed": feed, "product_ids": products}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Kraken Futures at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        products = [item.symbol for item in listing.get(rest.GROUP, ())]
        return tuple(Feed(name, f"{hosts.ws}/ws/v1", tuple(f"{name}:{each}" for each in products)) for name in STREAMS)

    return Venue(
        name="kraken",
        # not documented: careful guesses
        limits=Limits(
            args_per_request=50, args_per_socket=500, connects=Rate(10, 60.0), requests=Rate(5, 1.0), spacing_s=0.3
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition(":")[0]],
        liveness=Liveness("ticker", "ticker:", silent_s=30.0),
        typical={rest.GROUP: 330},
    )
