"""Crypto.com by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/crypto-com.md."""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Newest, Page, Poll, Rate, Refusal, perpetual

GROUP = "derivatives"
STATE_EVERY_S, HOUR_S = 20.0, 3600.0
BUDGETS = {name: Rate(100, 1.0) for name in ("get-instruments", "get-tickers", "get-valuations")}
KINDS = ("PERPETUAL_SWAP", "FUTURE")
MOST = 24
"""An answer with this many rates may have more pages: how many rates fit into one is not documented."""
API = "/exchange/v1/public"
RATES, OF_RATES = "get-valuations", (("valuation_type", "funding_hist"),)


class _Instrument(msgspec.Struct):
    symbol: str
    inst_type: str = ""
    underlying_symbol: str | None = None


class _Instruments(msgspec.Struct):
    data: list[_Instrument]


class _OfInstruments(msgspec.Struct):
    result: _Instruments


class _Value(msgspec.Struct):
    t: int


class _Values(msgspec.Struct):
    data: list[_Value]


class _OfValues(msgspec.Struct):
    result: _Values


class _Status(msgspec.Struct):
    code: int = 0


_instruments = msgspec.json.Decoder(_OfInstruments)
_values = msgspec.json.Decoder(_OfValues)
_status = msgspec.json.Decoder(_Status)


def page(body: bytes) -> Page:
    """Return the perpetuals and futures; there is one page."""
    found = (each for each in _instruments.decode(body).result.data if each.inst_type in KINDS)
    return Page(tuple(Listed(i.symbol, i.underlying_symbol or "", i.inst_type == KINDS[0]) for i in found))


def times(body: bytes) -> Sequence[int]:
    """Return the times of settled rates, UTC ms. Raises msgspec.MsgspecError."""
    return [each.t for each in _values.decode(body).result.data]


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `code` in an answer of status 200."""
    found = decoded(_status, answer.body)
    code = found.code if found else 0
    return refused(answer, 5.0, is_bad=bool(code))


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    base = f"{host}{API}"
    return (
        Poll(
            "get-instruments", "instruments", topics.REFERENCE, f"{base}/get-instruments", 600.0, budget="get-instruments",
            group=GROUP, lists=True,
        ),
        Poll(
            "get-tickers", "open interest", topics.OPEN_INTEREST, f"{base}/get-tickers", STATE_EVERY_S, budget="get-tickers"
        ),
        Poll(
            RATES, "settled funding", topics.FUNDING, f"{base}/{RATES}", HOUR_S, OF_RATES, budget="get-valuations",
            group=GROUP, param="instrument_name", of=perpetual,
            newest=Newest("start_ts", "end_ts", MOST, times, first_s=48 * HOUR_S),
        ),
    )  # fmt: skip
