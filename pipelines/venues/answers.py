"""What a Bybit or OKX REST answer is, by the fields of its first item, where no record says its channel.

Candles and lists of figures do not tell: they are named as answers, and the reason says that their channel must be given.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipelines.venues.registry import Answered
from pipelines.venues.wire import BAD

Fields = Sequence[tuple[str, str]]
"""Fields, parted by blanks, and the channel whose items have them all; the first that fits."""

BYBIT: Fields = (
    ("symbol lotSizeFilter", "instruments-info"),
    ("symbol lastPrice", "tickers"),
    ("openInterest timestamp", "open-interest"),
    ("fundingRateTimestamp", "funding_history"),
    ("buyRatio sellRatio", "account-ratio"),
    ("riskLimitValue", "risk-limit"),
)
OKX: Fields = (
    ("instId ctVal", "instruments"),
    ("realizedRate fundingTime", "funding-rate-history"),
    ("fundingRate fundingTime", "funding-rate"),
    ("instId oi oiCcy", "open-interest"),
    ("instId markPx", "mark-price"),
    ("instId idxPx", "index-tickers"),
    ("tier mmr", "position-tiers"),
)
NOT_TOLD = "?an answer that does not say its channel; name it with --channel"
_any = msgspec.json.Decoder().decode


def bybit(payload: bytes) -> Answered | None:
    """Name an answer with retCode and result; v2 wrote ret_code."""
    return _named(payload, lambda answer: "retCode" in answer or "ret_code" in answer, _bybit_items, BYBIT)


def okx(payload: bytes) -> Answered | None:
    """Name an answer with code and data."""
    return _named(payload, lambda answer: "code" in answer and "data" in answer, lambda a: a["data"], OKX)


def _bybit_items(answer: dict[str, Any]) -> Any:
    result = answer.get("result")
    return result.get("list") if isinstance(result, dict) else result


def _named(
    payload: bytes, is_answer: Callable[[dict[str, Any]], bool], items: Callable[[dict[str, Any]], Any], fields: Fields
) -> Answered | None:
    try:
        answer = _any(payload)
    except BAD:
        return None
    if not isinstance(answer, dict) or not is_answer(answer):
        return None
    listed = items(answer)
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict):
        return Answered(NOT_TOLD, "*")
    return Answered(next((channel for names, channel in fields if first.keys() >= set(names.split())), NOT_TOLD), "*")
