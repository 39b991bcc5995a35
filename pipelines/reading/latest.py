"""State frames to facts where only the last value of each contract is wanted: what a bucket of the grid keeps anyway."""

from collections import Counter
from collections.abc import Sequence

from collectors.envelope import RawFrame
from pipelines.facts import Nothing, Rejected, Row
from pipelines.reading.blocks import groups
from pipelines.reading.parse import DEAD, Facts, Parsed, collector_paused, parse_frames
from pipelines.venues import LATEST, Held


def parse_latest(frames: Sequence[RawFrame], held: Held) -> Parsed:
    """Read every frame; as `parse_frames`, but rows that a later one of their kind, channel and symbol replaces may lack."""
    with collector_paused():
        rows: list[tuple[int, Row]] = []
        outcomes, reasons, left = bytearray(len(frames)), Counter[str](), list[int]()
        for read, positions in groups(frames, LATEST):
            if read is None:
                left += positions
                continue
            kept = read([frames[n] for n in positions] if len(positions) < len(frames) else frames, held)
            left += [positions[n] for n in kept.left]
            rows += [(positions[n], row) for n, row in kept.rows]
            reasons += kept.reasons
            if len(positions) == len(frames):
                outcomes = kept.told
            else:
                for n, told in zip(positions, kept.told, strict=True):
                    outcomes[n] = told
        if not rows and len(left) == len(frames):
            return parse_frames(frames, held)
        left.sort()
        parsed = parse_frames([frames[n] for n in left], held)
    return _joined(frames, Parsed(frames, _by_kind(rows), outcomes, reasons), parsed, left)


def _by_kind(rows: list[tuple[int, Row]]) -> dict[type[Row], Facts]:
    facts: dict[type[Row], Facts] = {}
    for position, row in rows:
        found = facts.setdefault(type(row), Facts([], []))
        found.rows.append(row)
        found.frames.append(position)
    return facts


def _joined(frames: Sequence[RawFrame], kept: Parsed, parsed: Parsed, left: list[int]) -> Parsed:
    """Return what was read both ways as of one batch, facts of a kind in the order of their frames."""
    for kind, facts in parsed.facts.items():
        own, others = kept.facts.get(kind) or Facts([], []), [left[n] for n in facts.frames]
        both = [*zip(own.frames, own.rows, strict=True), *zip(others, facts.rows, strict=True)]
        if own.frames:
            both.sort(key=lambda entry: entry[0])
        kept.facts[kind] = Facts([row for _, row in both], [position for position, _ in both])
    for n, outcome in zip(left, parsed.outcomes, strict=True):
        kept.outcomes[n] = outcome
    for position in kept.facts[Rejected].frames if Rejected in kept.facts else ():
        kept.outcomes[position] = DEAD
    silent = kept.facts.get(Nothing)
    own_reasons = Counter(row.reason for row in silent.rows if isinstance(row, Nothing)) if silent else Counter[str]()
    return Parsed(frames, kept.facts, kept.outcomes, kept.reasons + own_reasons)
