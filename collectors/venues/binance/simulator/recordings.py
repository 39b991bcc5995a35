"""Binance: recorded lines, and who gets them."""

from collections.abc import Iterator
from typing import Any

import orjson

from collectors.simulator.host import Answer, json_answer
from collectors.simulator.recordings import Recorded

MARKS = "!markPrice@arr"
SPEEDS = ("", "@1s")


def recorded(file: str, line: bytes) -> Recorded | None:
    """Return a frame, raw or wrapped; a mark price alone goes to listeners of all as an array of one."""
    streams: list[str] = []
    message, payload = orjson.loads(line), line
    if isinstance(message, dict) and "stream" in message:
        streams, payload = [message["stream"]], line[line.index(b'"data":') + 7 : -1]
        message = message["data"]
    event = message[0] if isinstance(message, list) and message else message
    if not isinstance(event, dict) or "e" not in event:
        return None
    streams += _streams(event, isinstance(message, list))
    if not streams:
        return None
    alone = b"[%b]" % payload if isinstance(message, dict) else payload
    payloads = {stream: alone if stream.startswith(MARKS) else payload for stream in streams}
    return Recorded("binance", "cm" if file.startswith("cm_") else "um", payloads)


def nothing(status: int) -> Answer:
    """Return the answer where nothing was recorded: 400 to a parameter, 404 to a path."""
    return json_answer({"code": -1121, "msg": "Invalid symbol."}, 400 if status == 200 else status)


def _streams(event: dict[str, Any], several: bool) -> Iterator[str]:
    symbol = str(event.get("s") or event.get("o", {}).get("s", "")).lower()
    if event["e"] == "forceOrder":
        yield from ("!forceOrder@arr", f"{symbol}@forceOrder")
    elif event["e"] == "markPriceUpdate":
        if not several:
            yield from (f"{symbol}@markPrice{speed}" for speed in SPEEDS)
        yield from (f"{MARKS}{speed}" for speed in SPEEDS)
    elif event["e"] == "contractInfo":
        yield "!contractInfo"
    elif event["e"] == "kline":
        yield f"{symbol}@kline_{event['k']['i']}"
