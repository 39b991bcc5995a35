"""Deribit by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/deribit.md §1 to §4.

A trade's flag appears about an hour after the trade. So the history host is asked for every trade once more when it is ninety
minutes old, and after a start for those of six hours. An answer without a flag goes where tickers go, and is not kept for ever.
"""

from collections.abc import Sequence

import msgspec

from collectors import topics
from collectors.venues.answers import excerpt, retry_after_s
from collectors.venues.decoded import decoded
from collectors.venues.venue import Answer, Listed, Newest, Page, Poll, Rate, Refusal, perpetual, symbol

GROUP = "futures"
MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
BUDGETS = {"requests": Rate(50, 10.0)}
"""Not documented: credits an address, which about five calls a second do not use up."""
MOST_TRADES, MOST_RATES = 1000, 24
TRADES, RATES = "get_last_trades_by_instrument", "get_funding_rate_history"
FLAG = b'"liquidation"'
TOO_MANY, UNAVAILABLE = 10028, 13028
API = "/api/v2/public"


class _Ticks(msgspec.Struct):
    ticks: list[int] = []


class _Chart(msgspec.Struct):
    result: _Ticks


_chart = msgspec.json.Decoder(_Chart)


class _Instrument(msgspec.Struct):
    instrument_name: str
    kind: str = ""
    settlement_period: str = ""


class _Instruments(msgspec.Struct):
    result: list[_Instrument]


class _Timed(msgspec.Struct):
    timestamp: int


class _Trades(msgspec.Struct):
    trades: list[_Timed]


class _OfTrades(msgspec.Struct):
    result: _Trades


class _OfRates(msgspec.Struct):
    result: list[_Timed]


class _Error(msgspec.Struct):
    code: int = 0


class _Refused(msgspec.Struct):
    error: _Error | None = None


_instruments = msgspec.json.Decoder(_Instruments)
_trades = msgspec.json.Decoder(_OfTrades)
_rates = msgspec.json.Decoder(_OfRates)
_refused = msgspec.json.Decoder(_Refused)


def page(body: bytes) -> Page:
    """Return the futures, without options and combinations; there is one page."""
    futures = (each for each in _instruments.decode(body).result if each.kind == "future")
    return Page(tuple(Listed(f.instrument_name, funding=f.settlement_period == "perpetual") for f in futures))


def trade_times(body: bytes) -> Sequence[int]:
    """Return the times of the trades of an answer, UTC ms. Raises msgspec.MsgspecError."""
    return [trade.timestamp for trade in _trades.decode(body).result.trades]


def rate_times(body: bytes) -> Sequence[int]:
    """Return the times of the rates of an answer, UTC ms. Raises msgspec.MsgspecError."""
    return [rate.timestamp for rate in _rates.decode(body).result]


def topic_of(body: bytes) -> str:
    """Return where an answer with trades goes: by whether one of them is flagged."""
    return topics.LIQUIDATION if FLAG in body else topics.TICKER


def ticks(body: bytes) -> Sequence[int]:
    """Return the times of the candles of an answer, UTC ms. Raises msgspec.MsgspecError."""
    return _chart.decode(body).result.ticks


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status, or by `error` in it."""
    found = decoded(_refused, answer.body)
    error = found.error if found else None
    code, reason = error.code if error else 0, f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 429 or code == TOO_MANY:
        return Refusal(reason, retry_after_s(answer, 10.0))
    if answer.status == 403 or code == UNAVAILABLE:
        return Refusal(reason, retry_after_s(answer, 60.0))
    return Refusal(reason) if answer.status != 200 or error else None


def polls(host: str, history_host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    listed = (("currency", "any"), ("kind", "future"), ("expired", "false"))
    trades = Newest(
        "start_timestamp", "end_timestamp", MOST_TRADES, trade_times, first_s=6 * HOUR_S, behind_s=90 * MINUTE_S
    )
    rates = Newest("start_timestamp", "end_timestamp", MOST_RATES, rate_times, first_s=7 * 24 * HOUR_S)
    return (
        Poll(
            "get_instruments", "instruments", topics.REFERENCE, f"{host}{API}/get_instruments", 10 * MINUTE_S, listed,
            group=GROUP, lists=True,
        ),
        Poll(
            TRADES, "liquidations, flagged among trades of ninety minutes ago", topics.LIQUIDATION,
            f"{history_host}{API}/{TRADES}", 10 * MINUTE_S, (("count", str(MOST_TRADES)), ("sorting", "desc")), group=GROUP,
            param="instrument_name", of=symbol, newest=trades, topic_of=topic_of,
        ),
        Poll(
            RATES, "settled funding", topics.FUNDING, f"{host}{API}/{RATES}", HOUR_S, group=GROUP, param="instrument_name",
            of=perpetual, newest=rates,
        ),
    )  # fmt: skip
