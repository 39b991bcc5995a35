"""Deribit: how to talk to its socket (JSON-RPC). Facts: exchanges/deribit.md §1 to §4.

Arguments are channels as the venue writes them: `trades.BTC-PERPETUAL.100ms`, `ticker.BTC-PERPETUAL.agg2`. An acknowledgement
lists what it grants; a channel that it leaves out was refused. Liquidations are trades with a flag, which most trades get about
an hour later (rest.py). A frame without one goes where tickers go, and is not kept for ever.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.decoded import decoded
from collectors.venues.deribit import rest
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

STREAMS = {
    "trades": Stream("trades", "liquidations, flagged among trades", topics.LIQUIDATION),
    "ticker": Stream("ticker", "mark price, index, running funding, open interest", topics.TICKER),
}
PATHS = ("trades.{}.100ms", "ticker.{}.agg2")
TEST = '{"jsonrpc":"2.0","id":0,"method":"public/test"}'


class Hosts(BaseSettings):
    """Deribit's addresses."""

    model_config = SettingsConfigDict(env_prefix="LIQ_DERIBIT_")

    ws: str = Field("wss://www.deribit.com", pattern=WS_HOST, description="WebSocket host; `/ws/api/v2` is added")
    rest: str = Field("https://www.deribit.com", pattern=REST_HOST, description="REST host")
    history_rest: str = Field(
        "https://history.deribit.com", pattern=REST_HOST, description="REST host of all trades, with their flags"
    )


class _Params(msgspec.Struct):
    channel: str = ""
    type: str = ""


class _Message(msgspec.Struct):
    id: int | str | None = None
    method: str = ""
    params: _Params | None = None
    result: Any = msgspec.UNSET
    error: Any = None


_message = msgspec.json.Decoder(_Message)


def classify(payload: bytes) -> Frame | Control | None:
    """Name a message; None where it is none of Deribit's that we know."""
    message = decoded(_message, payload)
    if message is None:
        return None
    if message.error:
        return Control("refused", str(message.id or ""), detail=str(message.error)[:200])
    if message.result is not msgspec.UNSET:
        return _answered(str(message.id or ""), message.result)
    if message.method == "heartbeat":
        is_question = message.params is not None and message.params.type == "test_request"
        return Control("ping", detail=TEST if is_question else "")
    channel, _, rest_of_it = message.params.channel.partition(".") if message.params else ("", "", "")
    if message.method != "subscription" or channel not in STREAMS:
        return None
    topic = topics.LIQUIDATION if channel == "trades" and rest.FLAG in payload else topics.TICKER
    return Frame(channel, rest_of_it.rpartition(".")[0] or "*", topic)


def _answered(id: str, result: Any) -> Control:
    if not isinstance(result, list):
        return Control("pong")
    granted = tuple(str(each) for each in result)
    return Control("ack", id, args=granted) if granted else Control("refused", id, detail="no such channel")


def _request(operation: Operation, id: str, args: Sequence[str]) -> str:
    told = {"jsonrpc": "2.0", "id": int(id), "method": f"public/{operation}", "params": {"channels": list(args)}}
    return msgspec.json.encode(told).decode()


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Deribit at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()

    def feeds(listing: Listing) -> tuple[Feed, ...]:
        names = [item.symbol for item in listing.get(rest.GROUP, ())]
        return (Feed("public", f"{hosts.ws}/ws/api/v2", tuple(path.format(name) for path in PATHS for name in names)),)

    return Venue(
        name="deribit",
        # not documented: careful guesses
        limits=Limits(
            args_per_request=50, args_per_socket=400, connects=Rate(10, 60.0), requests=Rate(4, 1.0), spacing_s=0.3
        ),
        budgets=rest.BUDGETS,
        polls=rest.polls(hosts.rest, hosts.history_rest),
        feeds=feeds,
        request=_request,
        classify=classify,
        page=rest.page,
        refusal=rest.refusal,
        stream=lambda arg: STREAMS[arg.partition(".")[0]],
        liveness=Liveness("ticker", "ticker.", silent_s=30.0),
        typical={rest.GROUP: 110},
        heartbeat=Heartbeat(TEST, every_s=15.0),
    )
