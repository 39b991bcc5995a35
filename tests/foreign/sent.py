"""What a venue sent, read from the frame without our parsers: the items of liquidations and funding as they stand there."""

import json
from functools import lru_cache
from typing import Any

Item = dict[str, Any]

NOT_RECEIVED = {
    ("cryptofeed", "bybit"): "asks for the topic liquidation.*, retired in 2025 and refused (bybit.md §2)",
    ("cryptofeed", "okx"): "asks REST liquidation-orders, gone since 2023: 404 (okx.md §2)",
}
"""Client and venue of which it receives no liquidation at all, and why."""
RATES_NOT_RECEIVED = {("cryptofeed", "bybit"): "its one address is that of the linear contracts"}
"""Client and venue of whose inverse contracts it receives no funding rate, and why."""
LIQUIDATIONS = ("forceOrder", "allLiquidation", "liquidation-orders")


@lru_cache(maxsize=65536)
def items(frame: str) -> list[Item]:
    """Return a frame's liquidations in order: Binance's `o` with `E`, Bybit's items, OKX's details with `instId`."""
    if not any(name in frame for name in LIQUIDATIONS):
        return []
    message = json.loads(frame)
    if not isinstance(message, dict):
        return []
    data = message.get("data", message)
    if isinstance(data, dict):
        return [data["o"] | {"E": data["E"]}] if "o" in data else []
    if "arg" in message:
        return [detail | {"instId": entry["instId"], "nth": n}
                for entry in data for n, detail in enumerate(entry.get("details", ()))]  # fmt: skip
    return [item for item in data if "v" in item] if "topic" in message else []


@lru_cache(maxsize=65536)
def rates(frame: str) -> dict[str, Item]:
    """Return what a frame holds of each symbol, as sent."""
    message = json.loads(frame)
    data = message if isinstance(message, list) else message.get("data", message.get("result", message))
    if isinstance(data, dict):
        data = data.get("list", [data])
    return {item.get("symbol") or item.get("instId") or item.get("s"): item for item in data if isinstance(item, dict)}


RATE, NEXT, MARK = (
    ("fundingRate", "lastFundingRate", "r"),
    ("fundingTime", "nextFundingTime", "T"),
    ("markPx", "markPrice", "p"),
)


def named(item: Item, names: tuple[str, ...]) -> float | None:
    """Return the number a venue sent by the first of these names; None where there is none, or an empty text."""
    text = next((item[name] for name in names if name in item), "")
    return float(text) if text != "" else None
