"""OKX: recorded lines, and who gets them."""

import orjson

from collectors.simulator.host import Answer, json_answer
from collectors.simulator.recordings import Recorded


def recorded(_file: str, line: bytes) -> Recorded | None:
    """Return a frame of a channel that has data."""
    message = orjson.loads(line)
    arg = message.get("arg") if isinstance(message, dict) else None
    if not isinstance(arg, dict) or "data" not in message:
        return None
    name = arg.get("instId") or arg.get("instType")
    return Recorded("okx", "okx", {f"{arg['channel']}:{name}": line})


def nothing(status: int) -> Answer:
    """Return the answer where nothing was recorded: no data."""
    return json_answer({"code": "0", "msg": "", "data": []}, status)
