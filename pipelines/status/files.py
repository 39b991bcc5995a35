"""Whether upkeep keeps up with what writers commit: each commit makes new files, and a query opens all of a day."""

from collections.abc import Iterable

from pipelines.status.check import Check
from pipelines.status.seen import Seen
from warehouse.compact import crowded

SUBJECT = "files"
MOST = 2_000
"""Small files of one partition. Four ingests with a commit each 0.7 s make 700 between two runs of the flow `maintain`."""


def files(seen: Seen) -> Iterable[Check]:
    """No partition has so many small files that queries open files for most of their time."""
    table, count = crowded(seen.lake.connection)
    said = f"at most {count:,} small ones in a partition, of {table}" if count else "none yet"
    if count <= MOST:
        return [Check(SUBJECT, "good", said, number=count)]
    mend = "does the flow maintain run, and does it succeed? `liq maintain` joins them now"
    return [Check(SUBJECT, "needs you", f"{said}, expected {MOST:,} at most", mend, number=count)]
