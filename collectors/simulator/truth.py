"""What the simulated feeds published: the figures a warehouse must arrive at."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from collectors.simulator.liquidation import Liquidation


class Shown(msgspec.Struct):
    """A liquidation a feed published. `sent_ms`: when, UTC; `receivers`: sockets it was written to.

    `price` and `qty_raw` as on the wire, `qty_base` in coins, `usd` notional at that price.
    """

    venue: str
    market: str
    symbol: str
    ts: int
    position_side: str
    order_side: str
    price: str
    qty_raw: str
    qty_base: float
    usd: float
    sent_ms: int
    receivers: int = 0


class Truth:
    """Every liquidation shown, and counters of the frames written."""

    def __init__(self) -> None:
        self.rows: list[Shown] = []
        self.frames: Counter[tuple[str, str]] = Counter()
        self.load: Counter[str] = Counter()

    def show(self, liquidation: Liquidation, sent_ms: int) -> Shown:
        """Record one as published; the caller adds receivers."""
        contract = liquidation.contract
        shown = Shown(
            contract.venue, contract.market, contract.symbol, liquidation.ts, liquidation.position,
            liquidation.order_side, liquidation.shown_price, liquidation.qty, liquidation.qty_base,
            liquidation.usd, sent_ms,
        )  # fmt: skip
        self.rows.append(shown)
        return shown

    def wrote(self, venue: str, channel: str, receivers: int) -> int:
        """Count a frame written to `receivers` sockets; return that number."""
        if receivers:
            self.frames[venue, channel] += receivers
        return receivers

    def summary(self, venues: Iterable[str]) -> dict[str, Any]:
        """Return per venue: published and sent (heard by somebody) counts, USD by side of both, load frames."""
        return {venue: self._of(venue) for venue in venues}

    def lines(self) -> Iterator[bytes]:
        """Yield every row as a JSON line, in the order published."""
        for row in self.rows:
            yield msgspec.json.encode(row) + b"\n"

    def frames_written(self, venues: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return frames written per venue and channel, summed over sockets; control frames are not counted."""
        written: dict[str, dict[str, int]] = {venue: {} for venue in venues}
        for (venue, channel), frames in sorted(self.frames.items()):
            written[venue][channel] = frames
        return written

    def _of(self, venue: str) -> dict[str, Any]:
        rows = [row for row in self.rows if row.venue == venue]
        sent = [row for row in rows if row.receivers]
        return {
            "published": len(rows),
            "sent": len(sent),
            "usd": _by_side(rows),
            "sent_usd": _by_side(sent),
            "load_frames": self.load[venue],
        }


def _by_side(rows: list[Shown]) -> dict[str, float]:
    return {side: round(sum(row.usd for row in rows if row.position_side == side), 6) for side in ("long", "short")}
