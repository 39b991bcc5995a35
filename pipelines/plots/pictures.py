"""One function a picture: read a world, draw, return a Figure. matplotlib is imported only when one is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.plots.read.asking import asked
from warehouse import lake
from warehouse.lake import Lake
from warehouse.query import reading_world

if TYPE_CHECKING:
    from pipelines.plots.draw.sheet import Look, Sheet

WITHIN = 0.2


def look(
    palette: str | None = None, width: int = 1600, height: int = 900, dpi: int = 110, theme: str | None = None
) -> Look:
    """Return how to draw: palette seed, colourblind or opposite (None: LIQ_PALETTE, else seed), pixels, dots per inch, and
    theme light or dark (None: LIQ_THEME, else light)."""
    from pipelines.plots.draw import palettes
    from pipelines.plots.draw.sheet import Look

    on = palettes.theme(theme)
    return Look(palettes.palette(palette, on), width, height, dpi, on)


def heatmap(
    base: str = "BTC", since: datetime | None = None, until: datetime | None = None, *, within: float = WITHIN,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw a coin's estimated levels over time (the last seven days), its price, and the score of its maps.

    Every picture's function: since and until are UTC without a zone; world: the folder to read (LIQ_DATA, else data/live, else
    data/demo); style: from `look`. Raises NothingToPlotError where there are no rows, NoWarehouseError where there is no
    warehouse. within: how far from the time's prices levels are shown, as a fraction.
    """
    from pipelines.plots.draw import heatmap as draw
    from pipelines.plots.read import levels

    with _reader(world) as warehouse:
        return draw.predictive(
            *levels.heatmap(warehouse, asked(warehouse, base, None, since, until), within), style or look()
        )


def realised_heatmap(
    base: str | None = "BTC", since: datetime | None = None, until: datetime | None = None, *, instrument: str | None = None,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw what was liquidated by time and price (the last 24 hours), of a coin or of one instrument."""
    from pipelines.plots.draw import heatmap as draw
    from pipelines.plots.read.realised import realised

    with _reader(world) as warehouse:
        return draw.realised(*realised(warehouse, asked(warehouse, base, instrument, since, until)), style or look())


def liquidation_map(
    base: str = "BTC", until: datetime | None = None, *, within: float = WITHIN, world: Path | None = None,
    style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw a coin's newest map (before `until`): estimated liquidations by price, summed outward, max pain, the score,
    and beside them what known accounts would lose."""
    from pipelines.plots.draw import levels as draw
    from pipelines.plots.read import levels

    with _reader(world) as warehouse:
        found = levels.liquidation_map(warehouse, asked(warehouse, base, None, None, until), within)
        return draw.liquidation_map(*found[:5], style or look(), found.measured)


def totals(
    base: str | None = None, since: datetime | None = None, until: datetime | None = None, *, instrument: str | None = None,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw liquidations over time (the last 24 hours), of all coins, one coin or one instrument."""
    from pipelines.plots.draw import totals as draw
    from pipelines.plots.read import liquidations

    with _reader(world) as warehouse:
        return draw.totals(
            *liquidations.totals(warehouse, asked(warehouse, base, instrument, since, until)), style or look()
        )


def cascade(
    cascade_id: str | None = None, base: str | None = None, since: datetime | None = None, until: datetime | None = None, *,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw one cascade by its id, else the largest of the time (seven days), of one coin or any."""
    from pipelines.plots.draw import cascade as draw
    from pipelines.plots.read import cascade as read

    with _reader(world) as warehouse:
        return draw.cascade(
            *read.cascade(warehouse, asked(warehouse, base, None, since, until), cascade_id), style or look()
        )


def funding(
    base: str | None = "BTC", since: datetime | None = None, until: datetime | None = None, *, instrument: str | None = None,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw funding per eight hours (the last seven days) by venue, weighted by open interest, and paid."""
    from pipelines.plots.draw import lines as draw
    from pipelines.plots.read import funding as read

    with _reader(world) as warehouse:
        return draw.funding(*read.funding(warehouse, asked(warehouse, base, instrument, since, until)), style or look())


def open_interest(
    base: str | None = "BTC", since: datetime | None = None, until: datetime | None = None, *, instrument: str | None = None,
    world: Path | None = None, style: Look | None = None,
) -> Sheet:  # fmt: skip
    """Draw open interest by venue (the last seven days), and the price."""
    from pipelines.plots.draw import lines as draw
    from pipelines.plots.read import interest

    with _reader(world) as warehouse:
        return draw.open_interest(
            *interest.open_interest(warehouse, asked(warehouse, base, instrument, since, until)), style or look()
        )


@contextmanager
def _reader(world: Path | None) -> Iterator[Lake]:
    with lake.open(reading_world()[0] if world is None else world) as warehouse:
        yield warehouse
