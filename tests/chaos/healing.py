"""How long each kind of fault took to heal: until frames that arrived after its end are committed, of each venue it hit."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from tests.chaos.act import Done
from tests.chaos.faults import VENUES

COMMITS = """
SELECT venue, ts_commit, max(recv_last) FROM session_frames WHERE transport = 'ws' GROUP BY ALL ORDER BY ts_commit
"""
Line = tuple[str, int, float, float, int]


def healed(connection: duckdb.DuckDBPyConnection, done: Sequence[Done]) -> list[Line]:
    """Return per kind of fault: its name, how many hit something, p50 and longest time to heal in seconds, how many of them
    were followed by no commit."""
    commits: dict[str, list[tuple[int, int]]] = {venue: [] for venue in VENUES}
    for venue, at, newest in connection.execute(COMMITS).fetchall():
        if venue in commits and at >= newest:  # else ingest's clock was wrong just then
            commits[venue].append((_ns(newest), _ns(at)))
    firsts = {venue: _first(found) for venue, found in commits.items()}
    times: dict[str, list[float]] = defaultdict(list)
    for each in (each for each in done if each.hit):
        venues = [each.planned.target] if each.planned.target in VENUES else list(VENUES)
        times[each.planned.name].append(max(_after(firsts[venue], each.ended_ns) for venue in venues))
    return [(name, len(found), *_figures(found)) for name, found in sorted(times.items())]


def _first(found: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return arrival times, ascending, and for each the earliest commit that holds one as late."""
    found.sort()
    earliest, best = [], 2**63
    for _, at in reversed(found):
        best = min(best, at)
        earliest.append(best)
    return [arrived for arrived, _ in found], earliest[::-1]


def _after(first: tuple[list[int], list[int]], ended_ns: int) -> float:
    arrived, committed = first
    at = bisect_right(arrived, ended_ns)
    return (committed[at] - ended_ns) / 1e9 if at < len(arrived) else math.inf


def _figures(times: list[float]) -> tuple[float, float, int]:
    finite = sorted(each for each in times if each < math.inf)
    if not finite:
        return math.inf, math.inf, len(times)
    return finite[len(finite) // 2], finite[-1], len(times) - len(finite)


def _ns(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp() * 1e9)
