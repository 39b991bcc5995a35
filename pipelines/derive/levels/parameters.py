"""The parameters of the model, as data: every stored row names the version it was made with."""

import hashlib
from datetime import timedelta
from typing import NamedTuple

import orjson


class Parameters(NamedTuple):
    """What the model assumes. `version` changes with any of it.

    Weights are those of a public model (formulas.md §2.2, the first row): they say which share of what is opened has
    which leverage. bin_width and fine_width: relative width of a price bin. Anchors: shares of new exposure entered
    at the close, high and low of the traded range. half_life_h: how long half of what was opened stays, beside what
    falling open interest removes. mmr and max_leverage stand in where no margin table is known. recent_half_life_h:
    how fast a liquidation stops counting as one of late; near: from this distance on (a fraction of the price) a
    bin's distance no longer matters. least_maps: with liquidations, to fit weights of features; reach: the weights
    where there are fewer, themselves fitted to BTC on all venues, December 2025 to April 2026.
    """

    leverages: tuple[float, ...] = (5.0, 10.0, 25.0, 50.0, 100.0)
    weights: tuple[float, ...] = (0.10, 0.20, 0.30, 0.25, 0.15)
    bin_width: float = 0.002
    fine_width: float = 0.001
    fine: tuple[str, ...] = ("BTC", "ETH")
    at_close: float = 0.5
    at_high: float = 0.25
    at_low: float = 0.25
    long_share: float = 0.5
    turnover_share: float = 0.0
    half_life_h: float | None = 168.0
    mmr: float = 0.005
    max_leverage: float = 125.0
    stale_h: float = 24.0
    farthest: float = 0.5
    scored_minutes: int = 15
    scored_distance: float = 0.1
    recent_half_life_h: float = 1.0
    near: float = 0.01
    least_maps: int = 200
    reach: tuple[float, ...] = (0.0, 0.94, 0.89, 0.2, 0.007)

    @property
    def version(self) -> str:
        """Eight digits that stand for these values."""
        return hashlib.md5(self.json(), usedforsecurity=False).hexdigest()[:8]

    def json(self) -> bytes:
        """The values as one JSON object, as stored in `levels_parameters`."""
        return orjson.dumps(self._asdict())

    def width(self, base: str) -> float:
        """Relative width of the coin's price bins: a bin's upper edge / its lower edge - 1."""
        return self.fine_width if base in self.fine else self.bin_width

    @property
    def scored(self) -> timedelta:
        """How long a map stays frozen while it is scored."""
        return timedelta(minutes=self.scored_minutes)


PARAMETERS = Parameters()
