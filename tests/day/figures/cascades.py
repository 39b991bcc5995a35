"""Cascades, recomputed from the rule (warehouse/tables/cascades.py); amounts are summed as whole millionths of a dollar."""

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import accumulate

from tests.day.facts import DAY, EPOCH, HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures import coverage
from tests.day.figures.arithmetic import any_true, grouped, highest, listed, ratio, total
from tests.day.figures.moves import prices_around
from tests.day.figures.prices import of_contract

MICRO = 1_000_000
RULE, GAP, LEAST, LEAST_UNKNOWN, TIMES = "v2", 180 * SECOND, 100_000, 1_000_000, 10
LEAST_COUNT, LEAST_SATURATED, NORMAL_DAYS, NORMAL_LEAST, MARKET_WIDE = 5, 3, 7, 30, 3
SCOPES = ("all", "complete")


def micro(row: Row) -> int | None:
    usd = row["notional_usd"]
    return round(usd * MICRO) if usd is not None and 0 <= usd <= 1e12 else None


@cache
def _told(facts: Facts, scope: str) -> dict[str, Rows]:
    """Return each coin's liquidations in order of time; complete: of feeds that carry all of them."""
    rows = (row for row in facts.liquidations if row["base"] and (scope == "all" or row["completeness"] == "all"))
    return grouped(sorted(rows, key=lambda row: int(row["ts_event"])), lambda row: row["base"])


@cache
def _normal(facts: Facts, scope: str, base: str, hour: int) -> float | None:
    """Return the median of the minutes with USD in the seven days that end an hour before the hour."""
    end = hour - HOUR
    inside = (row for row in _told(facts, scope)[base] if end - NORMAL_DAYS * DAY <= row["ts_event"] < end)
    minutes = [
        usd for rows in grouped(inside, lambda row: row["ts_event"] // MINUTE).values()
        if (usd := total(row["notional_usd"] for row in rows))
    ]  # fmt: skip
    return round(statistics.median(minutes), 2) if len(minutes) >= NORMAL_LEAST else None


def _stretches(facts: Facts, scope: str, base: str) -> Iterable[tuple[int, int, float | None]]:
    """Yield start, end and normal minute of each run of a coin whose score is highest at its end and never back at zero."""
    at = {ts: sum(micro(row) or 0 for row in rows) for ts, rows in grouped(_told(facts, scope)[base], _time).items()}
    for session in _sessions(at):
        yield from _stretches_of(facts, scope, base, {ts: at[ts] for ts in session})


def _sessions(at: dict[int, int]) -> Iterable[list[int]]:
    """Yield the instants between which there is no quiet: less than the least both in the gap before and in the gap after."""
    times, own = list(at), list[int]()
    sums = list(accumulate(at.values(), initial=0))
    for n, ts in enumerate(times):
        before = sums[n] - sums[bisect_left(times, ts - GAP)]
        after = sums[bisect_right(times, times[n - 1] + GAP)] - sums[n] if n else 0
        if own and before < LEAST * MICRO and after < LEAST * MICRO:
            yield own
            own = []
        own.append(ts)
    yield own


def _stretches_of(facts: Facts, scope: str, base: str, at: dict[int, int]) -> Iterable[tuple[int, int, float | None]]:
    times, first = list(at), 0
    while first < len(times):
        normal = _normal(facts, scope, base, times[first] // HOUR * HOUR)
        floor = LEAST_UNKNOWN if normal is None else max(LEAST, TIMES * normal)
        score = best = float(at[times[first]])
        last = first
        for n in range(first + 1, len(times)):
            score -= floor / 60 * (times[n] - times[n - 1])
            if score <= 0 or score <= best - floor / 60 * GAP:
                break
            score += at[times[n]]
            if score >= best:
                best, last = score, n
        own = [(ts, at[ts]) for ts in times[first : last + 1]]
        loud = normal is None or _busiest(own, MINUTE)[1] >= TIMES * normal * MICRO
        if sum(usd for _, usd in own) >= floor * MICRO and loud:
            yield times[first], times[last], normal
        first = last + 1


def _time(row: Row) -> int:
    return int(row["ts_event"])


def _busiest(told: list[tuple[int, int]], width: int) -> tuple[int, int]:
    """Return start and amount of the span that holds most, beginning with a liquidation; the first of equals."""
    held = [(start, sum(usd for ts, usd in told if start <= ts < start + width)) for start, _ in told]
    return max(held, key=lambda each: (each[1], -each[0]))


@cache
def cascades(facts: Facts) -> Rows:
    """Return the rows of the table, as found at the end of the day."""
    found = []
    for scope in SCOPES:
        own = [
            _described(facts, scope, base, one, kept)
            for base in _told(facts, scope) for one in _stretches(facts, scope, base)
            if (kept := _kept(facts, scope, base, one))
        ]  # fmt: skip
        found += [row | _at_once(row, own) for row in own]
    return found


def _inside(facts: Facts, scope: str, base: str, start: int, end: int) -> Rows:
    return [row for row in _told(facts, scope)[base] if start <= row["ts_event"] <= end]


Stretch = tuple[int, int, float | None]


def _kept(facts: Facts, scope: str, base: str, one: Stretch) -> str | None:
    if len(_inside(facts, scope, base, *one[:2])) >= LEAST_COUNT:
        return "usd and count"
    return "usd and saturation" if _saturation(facts, scope, base, *one[:2])[1] >= LEAST_SATURATED else None


def _described(facts: Facts, scope: str, base: str, one: Stretch, kept: str) -> Row:
    start, end, normal = one
    rows = _inside(facts, scope, base, start, end)
    sides = {side: sum(micro(row) or 0 for row in rows if row["position_side"] == side) for side in ("long", "short")}
    side = "long" if sides["long"] >= sides["short"] else "short"
    second, minute = (
        _busiest([(ts, sum(micro(r) or 0 for r in of)) for ts, of in grouped(rows, _time).items()], width)
        for width in (SECOND, MINUTE)
    )
    seconds, saturated = _saturation(facts, scope, base, start, end)
    covered, classes = _covered(facts, scope, start, end), listed(row["completeness"] for row in rows)
    began = EPOCH + (start * (EPOCH.resolution))
    return {
        "cascade_id": f"{RULE}:{scope}:{base}:{began.replace(tzinfo=None).isoformat(timespec='microseconds')}",
        "rule_version": RULE, "scope": scope, "base": base, "ts_start": start, "ts_end": end, "closed": True,
        "position_side": side, "side_share": ratio(sides[side], sum(sides.values())),
        "usd": sum(sides.values()) / MICRO, "usd_long": sides["long"] / MICRO, "usd_short": sides["short"] / MICRO,
        "count": len(rows), "unpriced": sum(micro(row) is None for row in rows),
        "largest_usd": highest(map(micro, rows)) / MICRO, "peak_second": second[0], "peak_second_usd": second[1] / MICRO,
        "peak_minute": minute[0], "peak_minute_usd": minute[1] / MICRO, "normal_minute_usd": normal,
        "multiple": ratio(minute[1] / MICRO, normal), "venues": listed(row["venue"] for row in rows),
        "completeness": classes, "lower_bound": bool(any_true(classes != "all", covered is not None and covered < 1)),
        "coverage_share": covered, "contract_seconds": seconds, "saturated_seconds": saturated,
        "saturated_share": ratio(saturated, seconds), "kept_by": kept, **prices_around(facts, rows, (start, end), side),
    }  # fmt: skip


@cache
def _throttled(facts: Facts, scope: str, base: str) -> set[tuple[tuple[str, str], int]]:
    throttled = (row for row in _told(facts, scope)[base] if row["completeness"] not in ("all", "undocumented"))
    return {(of_contract(row), row["ts_event"] // SECOND) for row in throttled}


def _saturation(facts: Facts, scope: str, base: str, start: int, end: int) -> tuple[int, int]:
    """Return pairs of contract and second on throttled feeds, and those whose neighbour second had one too."""
    every = _throttled(facts, scope, base)
    inside = {(own, second) for own, second in every if start // SECOND <= second <= end // SECOND}
    return len(inside), sum((own, s - 1) in every or (own, s + 1) in every for own, s in inside)


def _covered(facts: Facts, scope: str, start: int, end: int) -> float | None:
    """Return the mean share over minutes and venues in which the scope's liquidation feeds were subscribed.

    A venue that was heard in a part of its minutes counts by what it was heard of the cascade's own time, of a second at least.
    """
    venues = {row["venue"] for rows in _told(facts, scope).values() for row in rows}
    minutes = range(start // MINUTE * MINUTE, end + 1, MINUTE)
    known: list[float] = []
    for venue in venues:
        own = [share for minute in minutes if (share := _heard(facts).get((venue, minute))) is not None]
        partly = own and 0 < statistics.fmean(own) < 1
        known += [coverage.share(facts, venue, start, max(end, start + SECOND))] * len(own) if partly else own
    return round(statistics.fmean(known), 6) if known else None


@cache
def _heard(facts: Facts) -> dict[tuple[str, int], float]:
    rows = (row for row in coverage.minutes(facts) if row["channel"] == coverage.CHANNELS[row["venue"]])
    return {(row["venue"], row["minute"]): row["connected_share"] for row in rows}


def _at_once(row: Row, others: Rows) -> Row:
    """Count the coins in a cascade at one time; two are, less than the gap after one's end too."""
    counts = [
        len({o["base"] for o in others if o["ts_start"] <= moment <= o["ts_end"] + GAP})
        for moment in (o["ts_start"] for o in others)
        if row["ts_start"] <= moment <= row["ts_end"] + GAP
    ]
    return {"coins_at_once": max(counts), "market_wide": max(counts) >= MARKET_WIDE}


def told_in(facts: Facts, cascade: Row) -> Rows:
    """Return what each venue told of a cascade, by class of its feed."""
    inside = _inside(facts, cascade["scope"], cascade["base"], cascade["ts_start"], cascade["ts_end"])
    found = []
    for (venue, completeness), of in grouped(inside, lambda row: (row["venue"], row["completeness"])).items():
        sides = {
            f"usd_{s}": sum(micro(row) or 0 for row in of if row["position_side"] == s) / MICRO
            for s in ("long", "short")
        }
        found.append({"venue": venue, "completeness": completeness, "count": len(of), **sides,
                      "usd": sum(micro(row) or 0 for row in of) / MICRO})  # fmt: skip
    return found
