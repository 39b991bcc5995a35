"""`liq plot`: pictures as PNG or SVG files."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from collectors.terminal import since_option, until_option
from pipelines.errors import PipelineError, UsageError
from pipelines.plots import pictures
from pipelines.plots.settings import PaletteName, ThemeName
from warehouse.terminal import told_world

if TYPE_CHECKING:
    from pipelines.plots.draw.sheet import Sheet

LEAST, MOST = 400, 8000


class Kind(StrEnum):
    """The files that are written."""

    PNG = "png"
    SVG = "svg"


class Drawn(NamedTuple):
    """How the picture is written: options of `liq plot` itself."""

    output: Path | None
    kind: Kind | None
    size: str
    dpi: int
    palette: PaletteName | None
    theme: ThemeName | None


Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="file to write; PICTURE-COIN-TIME.png if not given")
]
Format = Annotated[Kind | None, typer.Option("--format", "-f", help="if not given, the ending of --output, else png")]
Size = Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="in pixels")]
Dpi = Annotated[int, typer.Option(min=40, max=600, help="dots per inch: a larger number makes the text larger")]
Palette = Annotated[
    PaletteName | None,
    typer.Option(
        envvar="LIQ_PALETTE",
        help="colours of longs and shorts. seed: green and red; colourblind: blue and orange; opposite: red and green",
    ),
]
Theme = Annotated[
    ThemeName | None,
    typer.Option(envvar="LIQ_THEME", help="light: dark text on white, the default; dark: light text on near black"),
]
Base = Annotated[str, typer.Option(metavar="COIN", help="such as BTC")]
AnyBase = Annotated[str | None, typer.Option(metavar="COIN", help="such as BTC; all if not given")]
Instrument = Annotated[
    str | None,
    typer.Option(metavar="INSTRUMENT", help="one contract instead of a coin, such as BTC/USDT:USDT, at all venues"),
]
Since = Annotated[datetime | None, since_option("from this time on")]
Until = Annotated[datetime | None, until_option("before this time; now if not given")]
MapUntil = Annotated[
    datetime | None, until_option("newest map before this time; the newest of all if not given", alone=True)
]
Within = Annotated[float, typer.Option(min=0.1, max=95, help="largest distance of levels from the price, percent")]

app = typer.Typer(
    help="Draw pictures as PNG or SVG: heatmaps, maps, totals, cascades, funding, open interest. In a notebook: "
    "pipelines.plots.",
)


@app.command()
def heatmap(
    base: Base = "BTC", instrument: Instrument = None, since: Since = None, until: Until = None,
    realised: Annotated[bool, typer.Option("--realised", help="draw what was liquidated, not the estimated levels")] = False,
    within: Within = 20, output: Output = None, format: Format = None, size: Size = "1600x900", dpi: Dpi = 110,
    palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw estimated levels by time and price, with their score (seven days); --realised: past liquidations (24 hours)."""
    drawn = Drawn(output, format, size, dpi, palette, theme)
    if realised:
        _write("realised", instrument or base, until, drawn, lambda style: pictures.realised_heatmap(
            base, since, until, instrument=instrument, **style))  # fmt: skip
    elif instrument:
        raise UsageError("estimated levels are of a coin over all its contracts: use --base, or --realised")
    else:
        _write("heatmap", base, until, drawn,
               lambda style: pictures.heatmap(base, since, until, within=within / 100, **style))  # fmt: skip


@app.command("map")
def map_command(
    base: Base = "BTC", until: MapUntil = None, within: Within = 20, output: Output = None, format: Format = None,
    size: Size = "1600x900", dpi: Dpi = 110, palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw a coin's newest estimated levels by price, with their sum from the price outwards, max pain and the score."""
    _write("map", base, until, Drawn(output, format, size, dpi, palette, theme),
           lambda style: pictures.liquidation_map(base, until, within=within / 100, **style))  # fmt: skip


@app.command()
def totals(
    base: AnyBase = None, instrument: Instrument = None, since: Since = None, until: Until = None, output: Output = None,
    format: Format = None, size: Size = "1600x900", dpi: Dpi = 110, palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw liquidated USD over time (24 hours), shorts up and longs down; lower bounds are hatched or shaded."""
    _write("totals", instrument or base or "all", until, Drawn(output, format, size, dpi, palette, theme),
           lambda style: pictures.totals(base, since, until, instrument=instrument, **style))  # fmt: skip


@app.command()
def cascade(
    cascade_id: Annotated[str | None, typer.Argument(metavar="ID", help="a cascade_id; the largest one if not given")] = None,
    base: AnyBase = None, since: Since = None, until: Until = None, output: Output = None, format: Format = None,
    size: Size = "1600x900", dpi: Dpi = 110, palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw one cascade of the last seven days second by second, by side and venue, with the price."""
    _write("cascade", cascade_id or base or "largest", until, Drawn(output, format, size, dpi, palette, theme),
           lambda style: pictures.cascade(cascade_id, base, since, until, **style))  # fmt: skip


@app.command()
def funding(
    base: Base = "BTC", instrument: Instrument = None, since: Since = None, until: Until = None, output: Output = None,
    format: Format = None, size: Size = "1600x900", dpi: Dpi = 110, palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw funding per 8 hours (seven days): by venue, weighted by open interest, and paid."""
    _write("funding", instrument or base, until, Drawn(output, format, size, dpi, palette, theme),
           lambda style: pictures.funding(base, since, until, instrument=instrument, **style))  # fmt: skip


@app.command()
def oi(
    base: Base = "BTC", instrument: Instrument = None, since: Since = None, until: Until = None, output: Output = None,
    format: Format = None, size: Size = "1600x900", dpi: Dpi = 110, palette: Palette = None, theme: Theme = None,
) -> None:  # fmt: skip
    """Draw open interest in USD (seven days) by venue, and the price."""
    _write("oi", instrument or base, until, Drawn(output, format, size, dpi, palette, theme),
           lambda style: pictures.open_interest(base, since, until, instrument=instrument, **style))  # fmt: skip


def _write(name: str, of: str, until: datetime | None, drawn: Drawn, draw: "Callable[[dict[str, Any]], Sheet]") -> None:
    kind, (width, height) = _kind(drawn), _size(drawn.size)
    world = told_world()
    figure = draw({"world": world, "style": pictures.look(drawn.palette, width, height, drawn.dpi, drawn.theme)})
    at = until or datetime.now(UTC)
    of = "".join(letter if letter.isalnum() else "-" for letter in of)
    path = drawn.output or Path(f"{name}-{of}-{at:%Y%m%dT%H%M}.{kind}")
    _save(figure, path, kind)
    print(path)


def _save(figure: "Sheet", path: Path, kind: Kind) -> None:
    import matplotlib as mpl

    try:
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "liq"}):  # letters stay text; same data, same file
            figure.savefig(path, format=kind.value, metadata={"Date": None} if kind is Kind.SVG else {})
    except OSError as error:
        raise PipelineError(f"cannot write {path}: {error.strerror or error}") from error


def _kind(drawn: Drawn) -> Kind:
    ends = drawn.output.suffix.lower().removeprefix(".") if drawn.output else ""
    if drawn.kind is None and ends and ends not in set(Kind):
        raise UsageError(f"--output ends in .{ends}: pictures are .png or .svg, or say --format")
    return drawn.kind or (Kind(ends) if ends else Kind.PNG)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and all(LEAST <= int(side) <= MOST for side in (width, height))):
        raise UsageError(f"--size {text}: say width x height in pixels, {LEAST} to {MOST} each, such as 1600x900")
    return int(width), int(height)
