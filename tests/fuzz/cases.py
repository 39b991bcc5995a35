"""Frames as a venue might send them on its worst day: those of tests/frames, changed as JSON and as bytes."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

from pipelines.venues import VENUES
from tests.fuzz.dice import Dice
from tests.pipelines.frame_files import FRAMES

DEEP = "@deep@"
HUGE = "@huge@"
ODD: tuple[Any, ...] = (
    "", "0", "-1", "nan", "inf", "-0", " 2", "1_0", "9" * 400, "0x10", "1e308", "9.9e307", "1e-320", "٣", "abc", "net", "buy",
    "sell", "Buy", "Sell", "BUY", "SELL", "long", "short", None, True, False, {}, [], [[]], [{}], "\0", "\ud800", "x" * 5000,
    "'; DROP TABLE liquidations; --", "../../../etc/passwd", "${jndi:x}", "a|b", "BTC-USDT-SWAP", "BTCUSDT", 0, -1, 1.5, 7,
    2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1_790_000_000, 1_790_000_000_000_000, 253402300800000,
    DEEP, HUGE,
)  # fmt: skip
BYTES = (
    b"\0",
    b"\xff",
    b"\xe4",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"\n",
    b"null",
)
RAW = {DEEP: b"[" * 3000 + b"]" * 3000, HUGE: b"1e999"}
MOST_CHANGES = 4
MOST_BYTES = 64 * 1024


class Case(NamedTuple):
    """A frame without what a session adds."""

    venue: str
    transport: str
    channel: str
    symbol: str
    payload: bytes


@lru_cache(maxsize=1)
def corpus() -> list[Case]:
    """Return every frame of tests/frames, by channel."""
    found = []
    for venue in VENUES.values():
        for path in sorted((FRAMES / venue.name).glob("*.jsonl")):
            if not path.name.endswith(".expected.jsonl"):
                found += [_named(venue.name, path.stem, line) for line in path.read_bytes().splitlines() if line]
    return found


def _named(venue: str, stem: str, payload: bytes) -> Case:
    channel, _, symbol = stem.partition("~")
    if channel.startswith("rest_"):
        return Case(venue, "rest", channel.removeprefix("rest_"), symbol or "*", payload)
    if named := VENUES[venue].channel_of(payload):
        return Case(venue, "ws", named.channel, named.symbol or "*", payload)
    answered = VENUES[venue].answer_of(payload)
    return Case(venue, "rest", answered.channel if answered else "?", "*", payload)


def case(dice: Dice) -> Case:
    """Return a frame of the corpus with up to four changes; now and then under another channel's name."""
    seed, other = dice.of(corpus()), dice.of(corpus())
    payload = seed.payload
    for _ in range(dice.below(MOST_CHANGES + 1)):
        payload = _of_json(dice, payload) if dice.below(4) else _of_bytes(dice, payload)
    named = other if not dice.below(12) else seed
    return named._replace(payload=payload[:MOST_BYTES])


def _of_bytes(dice: Dice, payload: bytes) -> bytes:
    at, end = sorted((dice.below(len(payload) + 1), dice.below(len(payload) + 1)))
    how = dice.below(4)
    if how == 0:
        return payload[:at]
    if how == 1:
        return payload[:at] + payload[end:]
    if how == 2:
        return payload[:end] + payload[at:]
    return payload[:at] + dice.of(BYTES) + payload[at:]


def _of_json(dice: Dice, payload: bytes) -> bytes:
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return payload
    places = list(_places(message, 0))
    if not places:
        return json.dumps(dice.of(ODD)).encode()
    holder, key = dice.of(places)
    how = dice.below(8)
    if how < 5:
        holder[key] = dice.of(ODD)
    elif how == 5:
        del holder[key]
    elif how == 6 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = [holder[key]] if dice.below(2) else {"data": holder[key]}
    text = json.dumps(message, ensure_ascii=bool(dice.below(2)), separators=(",", ":"))
    found = text.encode(errors="surrogatepass")
    for name, raw in RAW.items():
        found = found.replace(f'"{name}"'.encode(), raw)
    return found


def _places(message: Any, depth: int) -> Any:
    """Yield every place in a JSON document where there is a value: what holds it, and its key."""
    if depth > 12:
        return
    keys = (
        list(message)
        if isinstance(message, dict)
        else range(min(len(message), 20))
        if isinstance(message, list)
        else ()
    )
    for key in keys:
        yield message, key
        yield from _places(message[key], depth + 1)
