"""How a venue's feed shows liquidations: one a second and symbol, in batches, or late. Pure; times are UTC ms."""

import heapq
from itertools import count

from collectors.simulator.liquidation import Liquidation

WINDOW_MS = 1000
BATCH_MS = 500


class LargestPerSecond:
    """A symbol's window opens with a liquidation and lasts a second; its largest is shown when it closes."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, Liquidation]] = {}
        self._closed: list[tuple[int, Liquidation]] = []

    @property
    def pending(self) -> int:
        """Windows not yet shown."""
        return len(self._open) + len(self._closed)

    def offer(self, liquidation: Liquidation) -> None:
        """Take one, in order of time per symbol."""
        symbol = liquidation.contract.symbol
        window = self._open.get(symbol)
        if window is None or liquidation.ts >= window[0]:
            if window is not None:
                self._closed.append(window)
            self._open[symbol] = (liquidation.ts + WINDOW_MS, liquidation)
        elif liquidation.usd > window[1].usd:
            self._open[symbol] = (window[0], liquidation)

    def due(self, now: int) -> list[tuple[int, Liquidation]]:
        """Return (closing time, the largest) of each window closed by `now`, in order of closing."""
        closed = [symbol for symbol, (closes, _) in self._open.items() if closes <= now]
        shown = sorted(self._closed + [self._open.pop(symbol) for symbol in closed], key=lambda window: window[0])
        self._closed = []
        return shown


class Batches:
    """All liquidations, one frame a symbol every 500 ms with everything since."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, list[Liquidation]] = {}
        self._next = 0

    @property
    def pending(self) -> int:
        """Liquidations not yet shown."""
        return sum(map(len, self._by_symbol.values()))

    def offer(self, liquidation: Liquidation) -> None:
        """Take one."""
        self._by_symbol.setdefault(liquidation.contract.symbol, []).append(liquidation)

    def due(self, now: int) -> list[list[Liquidation]]:
        """Return a list a symbol, when a batch is due; else nothing."""
        if now < self._next:
            return []
        self._next = now - now % BATCH_MS + BATCH_MS
        batches, self._by_symbol = list(self._by_symbol.values()), {}
        return batches


class Late:
    """Some liquidations come late and so out of order."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Liquidation]] = []
        self._order = count()

    @property
    def pending(self) -> int:
        """Liquidations not yet shown."""
        return len(self._heap)

    def offer(self, liquidation: Liquidation, delay_ms: int) -> None:
        """Take one, to be shown `delay_ms` after it happened."""
        heapq.heappush(self._heap, (liquidation.ts + delay_ms, next(self._order), liquidation))

    def due(self, now: int) -> list[Liquidation]:
        """Return what is to be shown by `now`, in order of showing."""
        shown = []
        while self._heap and self._heap[0][0] <= now:
            shown.append(heapq.heappop(self._heap)[2])
        return shown
