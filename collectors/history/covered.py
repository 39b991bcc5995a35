"""What of each series is known to be in Kafka, kept in a file between runs, so that nothing is asked for twice."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from collectors.history.paging import Span


class _State(msgspec.Struct):
    cluster: str
    series: dict[str, list[tuple[int, int]]]


class Covered:
    """The spans of each series. Those of another Kafka cluster, or of a file that cannot be read, count for nothing:
    asking again does no harm."""

    def __init__(self, path: Path, cluster: str) -> None:
        self._path = path
        self._cluster = cluster
        self._spans = _read(path, cluster)

    def gaps(self, name: str, wanted: Span) -> list[Span]:
        """Return what of `wanted` is not covered, oldest first."""
        gaps, first = [], wanted.first
        for start, end in self._spans.get(name, ()):
            if end < first:
                continue
            if start > wanted.last:
                break
            if start > first:
                gaps.append(Span(first, start - 1))
            first = max(first, end + 1)
        if first <= wanted.last:
            gaps.append(Span(first, wanted.last))
        return gaps

    def add(self, found: Iterable[tuple[str, Span]]) -> None:
        """Take in what Kafka has acknowledged and write the file, whole or not at all."""
        for name, span in found:
            self._spans[name] = _merged([*self._spans.get(name, ()), (span.first, span.last)])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".tmp")
        beside.write_bytes(msgspec.json.encode(_State(self._cluster, self._spans)))
        os.replace(beside, self._path)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _read(path: Path, cluster: str) -> dict[str, list[tuple[int, int]]]:
    try:
        state = msgspec.json.decode(path.read_bytes(), type=_State)
    except (OSError, msgspec.MsgspecError):
        return {}
    return state.series if state.cluster == cluster else {}
