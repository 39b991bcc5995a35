"""`liq venues`: what there is of each venue, how complete, how sure, and since when."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import typer

from pipelines.errors import PipelineError
from pipelines.venues import VENUES
from pipelines.venues.completeness import START

BEGIN, END = "<!-- venues -->", "<!-- end of the venues -->"
LIQUIDATIONS, NONE = "liquidations", "-"
HEADINGS = ("venue", "data", "live", "history", "completeness", "certainty", "since")
SHORT = (
    "venue",
    "liquidations",
    "completeness",
    "certainty",
    "since",
    "funding",
    "open interest",
    "mark",
    "index",
    "klines",
)


class Told(Protocol):
    """What the collectors say of a venue and a kind of data."""

    @property
    def venue(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def live(self) -> str: ...
    @property
    def history(self) -> str: ...
    @property
    def channels(self) -> tuple[str, ...]: ...


class Row(NamedTuple):
    """A venue and a kind of data, as it is shown."""

    venue: str
    data: str
    live: str
    history: str
    completeness: str
    certainty: str
    since: str


def rows(told: Sequence[Told]) -> list[Row]:
    """Return a row a venue and kind of data; completeness, certainty and since are those of its liquidations."""
    return [
        Row(
            each.venue,
            each.kind,
            each.live,
            each.history,
            *(_of(each) if each.kind == LIQUIDATIONS else (NONE,) * 3),
        )
        for each in told
    ]


def _of(told: Told) -> tuple[str, str, str]:
    """Return the class of a venue's feed as it is now, how sure that is, and since when (UTC day)."""
    rules = [rule for rule in VENUES[told.venue].completeness if rule.channel in told.channels]
    if not rules or told.live == NONE:
        return "not covered", NONE, NONE
    now = rules[-1]
    sure = (
        "disputed"
        if "disputed" in now.completeness
        else "unknown"
        if now.completeness == "undocumented"
        else "documented"
    )
    return now.completeness, sure, "its first day" if now.since == START else f"{now.since:%Y-%m-%d}"


def markdown(found: Sequence[Row]) -> str:
    """Return the table of the README, a venue a line."""
    lines = [_line(SHORT), _line(["---"] * len(SHORT))]
    for venue in dict.fromkeys(row.venue for row in found):
        by_kind = {row.data: row for row in found if row.venue == venue}
        first = by_kind[LIQUIDATIONS]
        own = (first.live, first.completeness, first.certainty, first.since)
        lines.append(_line([venue, *own, *(by_kind[kind].live for kind in SHORT[len(own) + 1 :])]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def update(file: Path, table: str) -> bool:
    """Write the table between its two marks; return whether that changed the file. Raises PipelineError."""
    text = file.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise PipelineError(f"{file} must have the lines {BEGIN} and {END} once")
    head, rest = text.split(BEGIN)
    new = f"{head}{BEGIN}\n\n{table}\n{END}{rest.split(END)[1]}"
    file.write_text(new)
    return new != text


def command(told: Callable[[], Sequence[Told]]) -> Callable[..., None]:
    """Return the command `venues`; `told`: what the collectors say."""

    def venues(
        readme: Annotated[
            Path | None,
            typer.Option("--update", metavar="FILE", help="write the short table into this file, between its marks"),
        ] = None,
    ) -> None:
        """Show what there is of each venue: live, history, how complete its liquidations are, how sure that is, since when.

        A - says that nothing of it is collected. Completeness: `liq sql "from liquidation_totals"` has it beside each sum.
        """
        found = rows(told())
        if readme is not None:
            print(f"{readme}: {'written' if update(readme, markdown(found)) else 'as it was'}")
            return
        widths = [max(map(len, column)) for column in zip(HEADINGS, *found, strict=True)]
        for row in (HEADINGS, *found):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    return venues
