"""Of which topics what is kept: every frame, or what it says; every value, or the last of each bucket of the grid."""

from collectors.topics import FUNDING, KLINE, OPEN_INTEREST, TICKER

STATE_TOPICS = frozenset((TICKER, FUNDING, OPEN_INTEREST))
"""Topics of values that hold until the next: rows are the last of each bucket."""
NOT_KEPT = frozenset((TICKER, KLINE))
"""Topics whose frames are too many for `raw_frames`; all they say is in rows."""
