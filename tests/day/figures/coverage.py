"""How much of each feed was heard, from what collectors told and when frames came (tables: feed_coverage)."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from tests.day.facts import MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped

POLLED = "undocumented"
"""The class of what only a poll brought, beside the feed that pushes."""
CHANNELS = {"binance": "forceOrder", "bybit": "allLiquidation", "okx": "liquidation-orders"}
NOT_KEPT = ("raw.ticker", "raw.kline")
MEASURED_UNTIL = 1_795_046_400 * SECOND  # 2026-11-19, the end of the day: the coverage is computed then


class Session(NamedTuple):
    """A session: it should have been heard over `due`, and was over `heard`."""

    feed: str
    start: int
    heard: tuple[int, int]
    in_order: bool
    reason: str
    channels: dict[str, tuple[str, int]]


def minutes(facts: Facts) -> Rows:
    """Return a row per minute, venue and channel with how much was heard of it, why not all, and liquidations in it."""
    return _minutes(facts)


@cache
def _minutes(facts: Facts) -> Rows:
    frames = _frames(facts)
    seconds = _seconds(facts)
    rows: Rows = []
    for (venue, transport), sessions in _sessions(facts).items():
        for channel, topic in sorted({(name, each[0]) for one in sessions for name, each in one.channels.items()}):
            for minute, share, reason in _shares(channel, sessions):
                is_liquidation = CHANNELS[venue] == channel
                heard = seconds.get((venue, minute), (0, 0, 0)) if is_liquidation else (0, 0, 0)
                count = frames.get((venue, transport, channel, minute), 0)
                rows.append({
                    "minute": minute, "venue": venue, "channel": channel, "transport": transport, "topic": topic,
                    "carries_liquidations": is_liquidation,
                    "connected_share": share, "frames": None if topic in NOT_KEPT else count, "rows": heard[0],
                    "contract_seconds": heard[1], "saturated_seconds": heard[2],
                    "gap_reason": reason if share < 1 else None, "repaired": _repaired(facts, topic, venue, minute, share),
                    **_state(is_liquidation, share, reason),
                })  # fmt: skip
    return rows


def _state(is_liquidation: bool, share: float, reason: str | None) -> Row:
    """Return the state of a liquidation channel: on this day none is silent that is listened to, so none is suspect."""
    is_heard = share > 0 or not is_liquidation
    state = None if not is_liquidation else "LIVE" if is_heard else "SILENT"
    return {"state": state, "state_reason": None if is_heard else reason}


def _repaired(facts: Facts, topic: str, venue: str, minute: int, share: float) -> bool | None:
    if share >= 1:
        return None
    filled = _filled(facts) if topic == "raw.kline" else set()
    return (venue, minute) in filled


@cache
def _filled(facts: Facts) -> set[tuple[str, int]]:
    return {(row["venue"], row["ts_event"] // MINUTE * MINUTE) for row in facts.klines if row["source"] == "backfill"}


@cache
def _frames(facts: Facts) -> dict[tuple[str, str, str, int], int]:
    counts: dict[tuple[str, str, str, int], int] = defaultdict(int)
    for frame in facts.frames:
        if frame.topic != "collector.events" and frame.source == "live":
            counts[frame.venue, frame.transport, frame.channel, frame.recv_ns // 1000 // MINUTE * MINUTE] += 1
    return counts


@cache
def _seconds(facts: Facts) -> dict[tuple[str, int], tuple[int, int, int]]:
    """Return per venue and minute: liquidations, seconds of a contract with one, and those with a neighbour second."""
    hit: dict[tuple[str, str], dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in facts.liquidations:
        hit[row["venue"], row["symbol"]][row["ts_event"] // SECOND].append(row["completeness"])
    found: dict[tuple[str, int], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for (venue, _), seconds in hit.items():
        for second, each in seconds.items():
            minute = second * SECOND // MINUTE * MINUTE
            if not (classes := [one for one in each if one != POLLED]):
                continue
            full = classes[0] != "all" and (second - 1 in seconds or second + 1 in seconds)
            rows, every, saturated = found[venue, minute]
            found[venue, minute] = rows + len(classes), every + 1, saturated + full
    return found


@cache
def _sessions(facts: Facts) -> dict[tuple[str, str], list[Session]]:
    heard: dict[str, int] = {}
    for frame in facts.frames:
        if frame.topic != "collector.events":
            heard[frame.session] = max(heard.get(frame.session, 0), frame.recv_ns // 1000)
    found: dict[tuple[str, str], list[Session]] = defaultdict(list)
    for name, told in grouped(facts.events, lambda event: event["session"]).items():
        if told[0]["source"] == "live":
            found[told[0]["venue"], told[0]["transport"]].append(_session(told[0]["feed"], told, heard.get(name)))
    return {key: sorted(sessions, key=lambda one: one.start) for key, sessions in found.items()}


def _session(feed: str, told: Rows, heard: int | None) -> Session:
    at = {event["event"]: event["ts_ns"] // 1000 for event in told}
    names, last = set(at), told[-1]
    begun = at.get("subscribed", at.get("started", 0))
    in_order = bool(names & {"stopped", "rolled_over"}) and last["event"] in ("stopped", "disconnected")
    end = last["ts_ns"] // 1000 if in_order else heard or begun
    reason = f"{last['event']}: {last['reason']}" if last["reason"] not in ("", last["event"]) else last["event"]
    brings = next((event["detail"]["channels"] for event in told if event["detail"].get("channels")), [])
    channels = {each["channel"]: (each["topic"], each.get("arguments", 1)) for each in brings}
    return Session(feed, told[0]["ts_ns"] // 1000, (begun, max(end, begun)), in_order, reason, channels)


def _shares(channel: str, sessions: list[Session]) -> Iterable[tuple[int, float, str | None]]:
    """Yield each minute from the first that was heard: what part of it, by contracts, and why no more."""
    parts = _parts(channel, sessions)
    first = min(one.heard[0] for one in sessions if channel in one.channels) // MINUTE * MINUTE
    reason: str | None = "collection began"
    for minute in range(first, MEASURED_UNTIL, MINUTE):
        share = _share(parts, minute, minute + MINUTE)
        ended = [one for one in sessions if one.feed in parts and one.heard[1] < minute + MINUTE]
        if share < 1 and ended:
            reason = max(ended, key=lambda one: one.heard[1]).reason
        yield minute, min(share, 1.0), reason


Span = tuple[int, int]


class Part(NamedTuple):
    """What a feed brings of a channel: contracts, when it should have been heard, and when it was."""

    arguments: int
    due: list[Span]
    heard: list[Span]


def share(facts: Facts, venue: str, start: int, end: int) -> float:
    """Return the part of a time, by contracts, in which a venue's liquidations were heard."""
    return _share(_liquidation_parts(facts, venue), start, end)


@cache
def _liquidation_parts(facts: Facts, venue: str) -> dict[str, Part]:
    return _parts(CHANNELS[venue], _sessions(facts)[venue, "ws"])


def _parts(channel: str, sessions: list[Session]) -> dict[str, Part]:
    own = [one._asdict() for one in sessions if channel in one.channels]
    parts: dict[str, Part] = {}
    for feed, of in grouped(own, lambda one: one["feed"]).items():
        ends = [one["heard"][1] if one["in_order"] else after["start"] for one, after in pairwise([*of, of[-1]])]
        due = [(one["start"], max(end, one["heard"][1])) for one, end in zip(of, ends, strict=True)]
        parts[feed] = Part(of[-1]["channels"][channel][1], due, [one["heard"] for one in of])
    return parts


def _share(parts: dict[str, Part], since: int, until: int) -> float:
    cuts = sorted({at for part in parts.values() for span in (*part.due, *part.heard) for at in span})
    found = 0.0
    for start, end in pairwise([since, *(at for at in cuts if since < at < until), until]):
        wanted = sum(part.arguments for part in parts.values() if any(a <= start < b for a, b in part.due))
        got = sum(part.arguments for part in parts.values() if any(a <= start < b for a, b in part.heard))
        found += (end - start) / (until - since) * (got / wanted if wanted else 0)
    return found
