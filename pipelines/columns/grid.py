"""Buckets of the time grid: of when the broker took a record, and of when its frame arrived."""

from collectors.envelope import MS_NS, RawFrame

LATE_NS = 5_000_000_000
"""A frame that waited less before the broker took it counts for the bucket it was taken in."""


def bucket_of(frame: RawFrame, bucket_ns: int) -> int:
    """Return the number of the bucket in which the broker took a record; where it does not say when: of arrival."""
    return (frame.appended_ms * MS_NS or frame.at_ns) // bucket_ns


def arrival_bucket(frame: RawFrame, bucket_ns: int) -> int:
    """Return the number of the bucket whose last value a frame may be: that of its taking or, if it waited, arrival."""
    taken = bucket_of(frame, bucket_ns)
    at = frame.at_ns
    return taken if not at or at + LATE_NS >= taken * bucket_ns else at // bucket_ns
