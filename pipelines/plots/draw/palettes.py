"""The colours: a theme for paper and letters; for each position side a ramp from little to much, and one colour for bars.

The seed's colours are red for shorts above the price and green for longs below it (formulas.md §2.4); other tools print the
opposite. The colour-blind palette differs in lightness, not only in hue: the solid colours by more than three to one.
"""

from typing import NamedTuple

from matplotlib.colors import LinearSegmentedColormap, to_hex

from pipelines.plots.settings import PaletteName, PlotSettings, ThemeName
from pipelines.venues import HEARD


class Theme(NamedTuple):
    """paper: the ground; ink: letters and the price; faint: axes; notes: the words below; gap: what was not heard; more: what
    a colour of more is."""

    name: ThemeName
    paper: str
    ink: str
    faint: str
    notes: str
    grid: str
    gap: str
    more: str


LIGHT = Theme(ThemeName.LIGHT, "#ffffff", "#1c2330", "#6b7280", "#3f4754", "#e5e7eb", "#d1d5db", "darker")
DARK = Theme(ThemeName.DARK, "#0e131b", "#eef1f6", "#8d97a8", "#b3bccb", "#222a37", "#3a4456", "brighter")
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


class Palette(NamedTuple):
    """Ramps are lists of colours from little to much; venues: colours of lines and areas, by the venue's place."""

    name: PaletteName
    long_ramp: tuple[str, ...]
    short_ramp: tuple[str, ...]
    long: str
    short: str
    venues: tuple[str, ...]

    def ramp(self, position_side: str) -> LinearSegmentedColormap:
        """Return the side's colours from little (0) to much (1)."""
        colours = self.long_ramp if position_side == "long" else self.short_ramp
        return LinearSegmentedColormap.from_list(position_side, list(colours))

    def solid(self, position_side: str) -> str:
        """Return the side's one colour."""
        return self.long if position_side == "long" else self.short

    def shade(self, position_side: str, share: float) -> str:
        """Return the side's colour at `share` (0 to 1) of the ramp's readable part."""
        return to_hex(self.ramp(position_side)(0.3 + 0.57 * share))

    def venue(self, name: str) -> str:
        """Return the venue's one colour, the same in every picture."""
        return self.venues[place(name) % len(self.venues)]


def place(venue: str) -> int:
    """Return the venue's place in a row of colours: its own, whichever others are in the picture."""
    known = list(HEARD)
    return known.index(venue) if venue in known else len(known) + sum(venue.encode()) % 3


GREENS = ("#e6f5ea", "#8fd3a5", "#2e9e58", "#0f6b35", "#04351a")
REDS = ("#fdeae7", "#f5a79b", "#dc4436", "#9c1c15", "#550808")
BLUES = ("#d4e3f5", "#6ea5d8", "#2166ac", "#0f3f7a", "#041a3a")
ORANGES = ("#fff3dd", "#fdc675", "#e8930c", "#b9690a", "#7f4200")
OF_VENUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")  # told apart in every colour vision
BRIGHT_GREENS = ("#11281b", "#17552f", "#24934f", "#55d486", "#d8ffe4")
BRIGHT_REDS = ("#2d1416", "#742020", "#cf3e34", "#ff8f7d", "#ffe6e0")
BRIGHT_BLUES = ("#0d1f38", "#15396b", "#2565ad", "#6aa9e6", "#c3e0fb")
BRIGHT_ORANGES = ("#352309", "#7a4c0c", "#d08a1c", "#ffc25e", "#fff3dc")
BRIGHT_VENUES = ("#4aa3e0", "#f0b432", "#2cc294", "#e091bf", "#9bd6fb", "#f28444")


def _both(
    greens: tuple[str, ...], reds: tuple[str, ...], long: str, short: str, venues: tuple[str, ...]
) -> list[Palette]:
    return [
        Palette(PaletteName.SEED, greens, reds, long, short, venues),
        Palette(PaletteName.OPPOSITE, reds, greens, short, long, venues),
    ]


PALETTES = {
    ThemeName.LIGHT: {each.name: each for each in (
        *_both(GREENS, REDS, "#1f9d55", "#d63a2f", OF_VENUES),
        Palette(PaletteName.COLOURBLIND, BLUES, ORANGES, "#0b4a8f", "#f0a030", OF_VENUES),
    )},
    ThemeName.DARK: {each.name: each for each in (
        *_both(BRIGHT_GREENS, BRIGHT_REDS, "#35bd6e", "#f05a4d", BRIGHT_VENUES),
        Palette(PaletteName.COLOURBLIND, BRIGHT_BLUES, BRIGHT_ORANGES, "#2f72bd", "#ffc872", BRIGHT_VENUES),
    )},
}  # fmt: skip


def theme(name: ThemeName | str | None = None) -> Theme:
    """Return the theme of that name; None: LIQ_THEME, else light. Raises ValueError for an unknown name."""
    return THEMES[ThemeName(name) if name else PlotSettings().theme]


def palette(name: PaletteName | str | None, on: Theme = LIGHT) -> Palette:
    """Return the palette of that name, for a theme; None: LIQ_PALETTE, else seed. Raises ValueError for an unknown name."""
    return PALETTES[on.name][PaletteName(name) if name else PlotSettings().palette]
