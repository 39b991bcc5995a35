"""CoinEx's host, which answers by REST alone. Facts: exchanges/coinex.md §1, §3."""

import msgspec

from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, json_answer


class CoinexLimits(msgspec.Struct, frozen=True):
    """`requests` in `window_s`: REST."""

    requests: int = 50
    window_s: float = 10.0


def answered(data: object, has_next: bool = False) -> Answer:
    """Return an answer with data."""
    return json_answer({"code": 0, "data": data, "pagination": {"has_next": has_next}, "message": "OK"})


def refusal(kind: Kind) -> Answer:
    """Return CoinEx's answer over a limit, of a blocked address, or when it is down."""
    answers = {
        "http_429": json_answer({"code": 4213, "data": {}, "message": "Too many requests"}, 429),
        "http_403": Answer(403, b"<html><head><title>403 Forbidden</title></head></html>"),
    }
    return answers.get(kind) or json_answer({"code": 3008, "data": {}, "message": "Service busy"}, 500)
