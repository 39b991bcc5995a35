"""This machine and those of the collectors: room on the disks, what waits in the spool, clocks."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from pipelines.status.check import Check, bad, good, unknown
from pipelines.status.kafka import Away
from pipelines.status.seen import Seen
from pipelines.status.sessions import feeds, processes

GB, MB = 1e9, 1e6
SCARCE_GB = 5.0
SCARCE_SHARE = 0.02
CLOCK_MS = 1000.0
VENUE_AHEAD_MS, VENUE_BEHIND_MS = 1000.0, 3000.0
"""How far a venue's clock may be from Kafka's by the fastest of its mark prices, which was on its way for a while, too."""
VENUES = """
SELECT venue, min(epoch_ms(ts_recv) - epoch_ms(ts_event)) AS late_ms FROM mark_prices
WHERE ts_recv > $now::TIMESTAMP - INTERVAL 10 MINUTE AND ts > $now::TIMESTAMP - INTERVAL 1 DAY AND source = 'live'
GROUP BY venue ORDER BY venue
"""


def disks(seen: Seen) -> Iterable[Check]:
    """The data's disk, and Kafka's where that is another, have room."""
    places = {"the data": seen.world, "Kafka's data": seen.world / "kafka" / "data"}
    devices: dict[int, tuple[str, Path]] = {}
    for what, folder in places.items():
        if folder.exists():
            devices.setdefault(folder.stat().st_dev, (what, folder))
    return [_disk(what, folder) for what, folder in devices.values()]


def _disk(what: str, folder: Path) -> Check:
    room = shutil.disk_usage(folder)
    free, share = room.free / GB, room.free / room.total
    said = f"{free:,.1f} GB free ({share:.0%}) for {what} in {folder}"
    if free < SCARCE_GB or share < SCARCE_SHARE:
        return bad(
            "disk", said, "make room, or move the data and set LIQ_DATA; `liq maintain` merges and deletes files"
        )
    return good("disk", said)


def spool(seen: Seen) -> Iterable[Check]:
    """What collectors keep on disk for Kafka, by what lies in this world's spool and by what they told last."""
    told = [msgspec.json.decode(row["detail"]) for row in processes(seen) if row["detail"]]
    size = max(_size(seen.world / "spool"), sum(each.get("spool_bytes") or 0 for each in told))
    if not size:
        return [good("spool", "empty")]
    said = f"{size / MB:,.1f} MB of frames wait on disk for Kafka"
    if isinstance(seen.kafka, Away):
        return [bad("spool", said, "they are sent when Kafka is back; if the spool is full, the oldest are dropped")]
    return [good("spool", f"{said}, and are being sent")]


def _size(spool: Path) -> int:
    size = 0
    for file in spool.glob("**/*.seg"):
        with suppress(FileNotFoundError):  # it was delivered just now
            size += file.stat().st_size
    return size


def clocks(seen: Seen) -> Iterable[Check]:
    """No collector's clock is more than a second off Kafka's."""
    if behind := seen.behind():
        return [unknown("clocks", f"{behind}, and what collectors reported before is old")]
    told = [msgspec.json.decode(row["detail"]) for row in processes(seen) if row["detail"]]
    if not told:
        if any(feed.lives(seen.now) for feed in feeds(seen)):
            return [
                unknown(
                    "clocks", "no collector has reported its clock", "collectors of an older version do not measure it"
                )
            ]
        return [unknown("clocks", "no running collector reports its clock")]
    return [_clock(each) for each in told]


def _clock(told: dict[str, object]) -> Check:
    subject, off = f"clock of {told.get('host', '?')}", told.get("clock_offset_ms")
    if not isinstance(off, int | float):
        return unknown(subject, f"process {told.get('pid')} has not measured it yet")
    said = f"{abs(off):,.0f} ms {'ahead of' if off > 0 else 'behind'} Kafka's"
    if abs(off) > CLOCK_MS:
        return bad(subject, said, "set the machine's clock (NTP); arrival times go by Kafka's meanwhile")
    return good(subject, said)


def venue_clocks(seen: Seen) -> Iterable[Check]:
    """No venue's clock is seconds off Kafka's, of the venues whose mark prices came in the last ten minutes."""
    if seen.behind():
        return []
    return [_venue_clock(row["venue"], row["late_ms"]) for row in seen.rows(VENUES)]


def _venue_clock(venue: str, late_ms: float) -> Check:
    subject = f"clock of {venue}"
    if late_ms < -VENUE_AHEAD_MS:
        said = f"its newest prices are dated {-late_ms / 1000:,.1f} s after they arrived, by Kafka's clock"
        return bad(
            subject, said, "set the clock of Kafka's machine (NTP); `liq doctor` compares this one's with each venue's"
        )
    if late_ms > VENUE_BEHIND_MS:
        said = f"its prices arrive at least {late_ms / 1000:,.1f} s late, by Kafka's clock"
        mend = "set the clock of Kafka's machine (NTP), or is the network that slow? `liq doctor` asks each venue for its time"
        return bad(subject, said, mend)
    return good(subject, f"its prices come within {max(late_ms, 0):,.0f} ms, by Kafka's clock")
