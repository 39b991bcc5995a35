"""Bybit: recorded lines, and who gets them."""

import re
from typing import Any

import orjson

from collectors.simulator.host import Answer, json_answer
from collectors.simulator.recordings import Recorded

INVERSE = re.compile(r"USD([FGHJKMNQUVXZ]\d\d)?$")


def recorded(_file: str, line: bytes) -> Recorded | None:
    """Return a frame of a topic; the symbol says the category."""
    message = orjson.loads(line)
    if not isinstance(message, dict) or not isinstance(topic := message.get("topic"), str):
        return None
    category = "inverse" if INVERSE.search(topic) else "linear"
    return Recorded("bybit", "bybit", {f"{category}/{topic}": line})


def nothing(status: int) -> Answer:
    """Return the answer where nothing was recorded: an empty list."""
    result: dict[str, Any] = {"list": [], "nextPageCursor": ""}
    return json_answer({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 0}, status)
