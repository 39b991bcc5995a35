"""The colours: one ramp a position side from light (little) to dark (much), and one solid colour for bars and lines.

The seed's colours are red for shorts above the price and green for longs below it (formulas.md §2.4); other tools print the
opposite. The colour-blind palette differs in lightness, not only in hue: the solid colours by more than three to one.
"""

from typing import NamedTuple

from matplotlib.colors import LinearSegmentedColormap, to_hex

from pipelines.plots.settings import PaletteName, PlotSettings

INK = "#1c2330"
FAINT = "#6b7280"
NOTES = "#3f4754"
GRID = "#e5e7eb"
GAP = "#d1d5db"


class Palette(NamedTuple):
    """Ramps are lists of colours from light to dark; venues: colours of lines and areas by venue, in this order."""

    name: PaletteName
    long_ramp: tuple[str, ...]
    short_ramp: tuple[str, ...]
    long: str
    short: str
    venues: tuple[str, ...]

    def ramp(self, position_side: str) -> LinearSegmentedColormap:
        """Return the side's colours from little (0, light) to much (1, dark)."""
        colours = self.long_ramp if position_side == "long" else self.short_ramp
        return LinearSegmentedColormap.from_list(position_side, list(colours))

    def solid(self, position_side: str) -> str:
        """Return the side's one colour."""
        return self.long if position_side == "long" else self.short

    def shade(self, position_side: str, share: float) -> str:
        """Return the side's colour at `share` (0 to 1) of the ramp's readable part."""
        return to_hex(self.ramp(position_side)(0.3 + 0.65 * share))


GREENS = ("#e6f5ea", "#8fd3a5", "#2e9e58", "#0f6b35", "#04351a")
REDS = ("#fdeae7", "#f5a79b", "#dc4436", "#9c1c15", "#550808")
VENUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")  # told apart in every colour vision
_SEED = Palette(PaletteName.SEED, GREENS, REDS, "#1f9d55", "#d63a2f", VENUES)
PALETTES = {
    PaletteName.SEED: _SEED,
    PaletteName.COLOURBLIND: Palette(
        PaletteName.COLOURBLIND,
        ("#d4e3f5", "#6ea5d8", "#2166ac", "#0f3f7a", "#041a3a"),
        ("#fff3dd", "#fdc675", "#e8930c", "#b9690a", "#7f4200"),
        "#0b4a8f",
        "#f0a030",
        VENUES,
    ),
    PaletteName.OPPOSITE: _SEED._replace(
        name=PaletteName.OPPOSITE, long_ramp=REDS, short_ramp=GREENS, long=_SEED.short, short=_SEED.long
    ),
}


def palette(name: PaletteName | str | None) -> Palette:
    """Return the palette of that name; None: LIQ_PALETTE, else seed. Raises ValueError for an unknown name."""
    return PALETTES[PaletteName(name) if name else PlotSettings().palette]
