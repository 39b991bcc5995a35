"""What `liq demo` asks its venues of the market's past: the day before by the minute, and thirty days by the hour."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

PAST = ("klines", "open-interest", "funding")
ASKED = (
    ("1d", {"klines": "1m", "open-interest": "5m"}),
    ("30d", {"klines": "1h", "open-interest": "1h"}),
)
"""How far back, and in bars of which length; settlements of funding have none."""


class Kept(Protocol):
    """What a venue keeps: of what, and in which lengths of bars."""

    @property
    def what(self) -> str: ...
    @property
    def lengths(self) -> Collection[str]: ...


def backfills(kept: Sequence[Kept]) -> Iterator[list[str]]:
    """Yield the arguments of each `liq backfill` of a venue; none where it gives nothing of this, or no bars so long."""
    for since, lengths in ASKED:
        given = [
            what for what in PAST
            if (own := [each for each in kept if each.what == what])
            and all(what not in lengths or lengths[what] in each.lengths for each in own)
        ]  # fmt: skip
        if given:
            of_bars = ["--interval", lengths["klines"], "--period", lengths["open-interest"]]
            yield ["--what", ",".join(given), "--since", since, *of_bars]
