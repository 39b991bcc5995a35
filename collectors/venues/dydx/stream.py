"""dYdX v4: how to talk to its indexer's sockets. Facts: exchanges/dydx-v4.md §1, §2, §4.

Arguments are written `channel` or `channel:market`. A subscription is acknowledged by its first data, which are kept:
of trades the latest, of markets the state of all. A socket takes 32 markets' trades; many are silent for hours, so
these sockets are judged by the answers to protocol pings alone, and that of the markets by its prices.
"""

from collections.abc import Sequence

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.dydx import rest
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

TRADES, MARKETS = "v4_trades", "v4_markets"
STREAMS = {
    TRADES: Stream(TRADES, "liquidations, flagged among trades", topics.LIQUIDATION),
    MARKETS: Stream(MARKETS, "oracle price, running funding, open interest", topics.TICKER),
}
DATA = ("channel_data", "channel_batch_data")


class Hosts(BaseSettings):
    """dYdX's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_DYDX_")

    ws: str = Field("wss://indexer.dydx.trade", pattern=WS_HOST, description="WebSocket host; `/v4/ws` is added")
    rest: str = Field("https://indexer.dydx.trade", pattern=REST_HOST, description="REST host")


class _Message(msgspec.Struct):
    type: str
    channel: str = ""
    id: str = ""
    message: str = ""


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of dYdX's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    arg = f"{message.channel}:{message.id}" if message.channel == TRADES else message.channel
    if message.type in ("subscribed", *DATA) and message.channel in STREAMS:
        topic = rest.topic_of(payload) if message.channel == TRADES else topics.TICKER
        is_first = message.type == "subscribed"
        return Frame(message.channel, message.id or "*", topic, arg if is_first else "")
    if message.type == "unsubscribed":
        return Control("ack", arg=arg)
    if message.type == "error":
        return Control("refused", detail=message.message[:200])
    return Control("notice", detail=message.type) if message.type == "connected" else None


def _request(operation: Operation, _id: str, args: Sequence[str]) -> str:
    channel, _, market = "".join(args[:1]).partition(":")
    told = {"type": operation, "channel": channel, **({"id": market} if market else {})}
    return msgspec.json.encode(told if operation == "unsubscribe" else told | {"batched": False}).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return dYdX at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        url = f"{hosts.ws}/v4/ws"
        trades = tuple(f"{TRADES}:{item.symbol}" for item in listing.get(rest.GROUP, ()))
        return (Feed("markets", url, (MARKETS,)), Feed("trades", url, trades))

    return Venue(
        name="dydx",
        # documented: 32 subscriptions of a channel a socket, two subscriptions a second (§1); connections: a careful guess
        limits=Limits(
            args_per_request=1, args_per_socket=32, connects=Rate(20, 60.0), requests=Rate(20, 10.0), spacing_s=0.5
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition(":")[0]],
        liveness=Liveness(MARKETS, MARKETS, silent_s=60.0),
        typical={rest.GROUP: 290},
    )
