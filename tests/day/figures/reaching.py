"""The model reach in the plainest form: what is known of a bin, and the USD that the published weights make of it."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.day.facts import HOUR
from tests.day.figures.exposure import Exposure

WEIGHTS = (0.0, 0.94, 0.89, 0.2, 0.007)
NEAR, SCALE = 0.01, 0.01


class Known(NamedTuple):
    """Of a bin so many bins from the price, of a venue's contracts of a coin: hours since the price was in it, coins traded
    there; log_width of its bins, USD of open interest, USD liquidated of late per hour."""

    offset: int
    hours: float
    traded: float
    log_width: float
    oi_usd: float
    recent_usd: float

    @property
    def untouched(self) -> float:
        return math.log(1 + 12 * self.hours)

    def reach(self, opened_usd: float) -> float | None:
        """Return USD liquidated if the price comes to the bin; None where no open interest is known."""
        scale = self.oi_usd * self.log_width * SCALE
        if scale <= 0:
            return None
        distance = math.exp(abs(self.offset) * self.log_width) - 1
        features = (
            1.0, math.sqrt(self.hours), self.untouched * min(distance / NEAR, 1.0), math.sqrt(self.recent_usd / scale),
            opened_usd / scale,
        )  # fmt: skip
        return math.fsum(w * x for w, x in zip(WEIGHTS, features, strict=True)) * scale


def known(contracts: Sequence[Exposure], at: int, offsets: Iterable[int]) -> list[Known]:
    """Return what is known at an instant of the bins around each contract's last close."""
    zeros = [one.bin(one.close) for one in contracts]  # type: ignore[arg-type]
    first = min(one.since for one in contracts)
    oi = math.fsum(one.oi_usd() for one in contracts)
    recent = math.fsum(one.recent(at, 1.0) for one in contracts) * math.log(2)
    return [
        Known(
            offset, (at - max((seen for one, zero in zip(contracts, zeros, strict=True)
                               if (seen := one.seen.get(zero + offset)) is not None), default=first)) / HOUR,
            math.fsum(one.traded(zero + offset) for one, zero in zip(contracts, zeros, strict=True)),
            contracts[0].log_width, oi, recent,
        )
        for offset in offsets
    ]  # fmt: skip
