"""How a run of a channel's state frames is read where only the last value of each contract is wanted."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collectors.envelope import RawFrame
from pipelines.facts import Row
from pipelines.venues.wire import Held


class Kept(NamedTuple):
    """What a run says in the end. `rows`: of each kind and symbol the last one at least, with the position of its frame,
    and what was rejected. `told`: per frame 1 where it says something, as the channel's parser would have it, else 0.
    `reasons`: why others say nothing. `left`: positions of frames that were not read and are left to that parser.
    """

    rows: list[tuple[int, Row]]
    told: bytearray
    reasons: Counter[str]
    left: list[int]


Latest = Callable[[Sequence[RawFrame], Held], Kept]
