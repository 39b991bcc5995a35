"""What an answer of Bybit's REST is, by the fields of its first item."""

from typing import Any

from pipelines.venues.answers import Fields, named
from pipelines.venues.venue import Answered

FIELDS: Fields = (
    ("symbol lotSizeFilter", "instruments-info"),
    ("symbol lastPrice", "tickers"),
    ("openInterest timestamp", "open-interest"),
    ("fundingRateTimestamp", "funding_history"),
    ("buyRatio sellRatio", "account-ratio"),
    ("riskLimitValue", "risk-limit"),
)


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer with retCode and result; v2 wrote ret_code."""
    return named(payload, lambda answer: "retCode" in answer or "ret_code" in answer, _items, FIELDS)


def _items(answer: dict[str, Any]) -> Any:
    result = answer.get("result")
    return result.get("list") if isinstance(result, dict) else result
