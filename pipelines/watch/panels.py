"""The parts of the page, each so many lines high. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipelines.watch.choice import Choice
from pipelines.watch.feeds import Feed
from pipelines.watch.figures import Total, overall, totals
from pipelines.watch.sight import HOURS, Rows
from pipelines.watch.words import age, at_least, change, heard, price, share, usd

SIDES = {"long": "red", "short": "green"}
STATES = {
    "LIVE": "bold green",
    "LATE": "bold yellow",
    "SUSPECT": "bold yellow",
    "SILENT": "bold red",
    "GAP": "bold white on red",
}
OLD_S = 10.0
"""A price that is older is shown with its age."""
LARGE, HUGE = 1e5, 1e6
NONE = Total(0.0, 0.0, 0, None, None, None)
STRESSED = 0.7
PARTS = (("liquidations", "liquidations"), ("imbalance", "imbalance"), ("oi_flush", "OI flush"), ("funding", "funding"),
         ("volatility", "volatility"))  # fmt: skip
FRAME = 2
"""Lines of a panel's border; a table in it has a line of names, too."""


def framed(title: str, what: RenderableType, lines: int, note: str = "") -> Panel:
    """Return a panel of so many lines, border and all."""
    return Panel(
        what, title=f"[bold]{title}[/]", title_align="left", subtitle=f"[dim]{note}[/]" if note else None,
        subtitle_align="right", box=box.ROUNDED, border_style="bright_black", padding=(0, 1), height=lines,
    )  # fmt: skip


def _table(*columns: str) -> Table:
    """Return an empty table; a name that begins with < is of a column to the left."""
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for name in columns:
        table.add_column(name.removeprefix("<"), justify="left" if name.startswith("<") else "right", no_wrap=True)
    return table


def totals_panel(
    rows: Rows, choice: Choice, at: datetime, now: datetime, lines: int, feeds: Sequence[Feed] = ()
) -> Panel:
    """Return by venue what was liquidated in the last 1, 4, 12 and 24 hours, how sure that is, and how much was heard.

    `feeds`: show each venue's state and the age of its newest frame instead of the middle ones.
    """
    hours = (1, 24) if feeds else HOURS
    table = _table("<", *(["<state", "newest"] if feeds else []), *(f"{each} h" for each in hours), "longs", "heard")
    found = [totals(rows, "venue", each, choice) for each in hours]
    known = {feed.venue: feed for feed in feeds}
    for venue in sorted({*found[-1], *known}):
        if choice.venue in (None, venue):
            states = _state_cells(known.get(venue)) if feeds else []
            _total_row(table, venue, states, [of.get(venue, NONE) for of in found], "")
    whole = [overall(rows, each, choice) for each in hours]
    _total_row(table, "all", ["", ""] if feeds else [], whole, "bold")
    return framed(
        f"Liquidated, USD{_of(choice)}", table, lines, f"≥ at least, ? not known yet, heard: of 1 h · {_old(at, now)}"
    )


def _total_row(table: Table, name: str, states: list[RenderableType], found: Sequence[Total], style: str) -> None:
    day = found[-1]
    table.add_row(
        Text(name, style="bold"), *states, *map(_sum, found), Text(share(day.long_share), style=_lean(day.long_share)),
        heard(found[0].coverage, 1), style=style,
    )  # fmt: skip


def _sum(of: Total) -> str:
    return at_least(of.usd, of.lower_bound) if of.number else "0"


def _state_cells(feed: Feed | None) -> list[RenderableType]:
    return [Text(feed.state, style=STATES[feed.state]), age(feed.newest_s)] if feed else ["", ""]


def coins_panel(rows: Rows, choice: Choice, prices: Rows, now: datetime, lines: int) -> Panel:
    """Return the coins of which the most was liquidated in the last hour, else day, with a bar of longs and shorts."""
    hours = 1 if overall(rows, 1, choice).number else 24
    table = _table("<coin", "USD", "<longs shorts", "longs", "price", "1 h")
    known = {row["base"]: row for row in prices}
    found = totals(rows, "base", hours, choice._replace(base=None))
    most = max((of.usd for of in found.values()), default=0.0)
    for coin, of in list(found.items())[: lines - FRAME - 1]:
        at = known.get(coin, {})
        table.add_row(
            Text(coin, style="bold reverse" if coin == choice.base else "bold"), at_least(of.usd, of.lower_bound),
            _bar(of, most, 12), Text(share(of.long_share), style=_lean(of.long_share)),
            aged_price(at, now), _move(at.get("move")),
        )  # fmt: skip
    title = f"Coins, the last {'hour' if hours == 1 else '24 hours'}"
    return framed(title, table, lines, "▒ of feeds that leave some out")


def list_panel(title: str, rows: Sequence[dict[str, Any]], now: datetime, lines: int, note: str = "") -> Panel:
    """Return liquidations one a line, the large ones bright."""
    table = _table("<time", "<venue", "<coin", "<side", "USD", "price", "age")
    for row in rows[: lines - FRAME - 1]:
        large = "bold" if (row["usd"] or 0) >= LARGE else ""
        side = SIDES.get(row["position_side"], "")
        shown = "bold white on red" if (row["usd"] or 0) >= HUGE else f"{large} {side}"
        table.add_row(
            f"{row['ts_event']:%H:%M:%S}", row["venue"], Text(str(row["base"])[:8], style=large),
            Text((row["position_side"] or "?").upper(), style=side), Text(usd(row["usd"]), style=shown), price(row["price"]),
            age((now - row["ts_event"]).total_seconds()),
        )  # fmt: skip
    return framed(title, table, lines, note)


def cascades_panel(rows: Rows, now: datetime, lines: int) -> Panel:
    """Return the newest cascades: what went in them, what the price did, and how much of them was heard."""
    table = _table("<began", "<coin", "<side", "USD", "lasted", "move", "heard", "age")
    for row in rows[: lines - FRAME - 1]:
        side = SIDES.get(row["position_side"], "")
        table.add_row(
            f"{row['ts_start']:%H:%M:%S}", Text(row["base"], style="bold"), Text(row["position_side"].upper(), style=side),
            at_least(row["usd"], row["lower_bound"]), age(row["seconds"]), _move(row["move"]), share(row["coverage_share"]),
            age((now - row["ts_start"]).total_seconds()),
        )  # fmt: skip
    if not rows:
        return framed("Cascades, 7 days", Text("none found yet; they are looked for once a minute", style="dim"), lines)
    return framed("Cascades, 7 days", table, lines)


def feeds_panel(feeds: Sequence[Feed], lines: int, wide: bool) -> Panel:
    """Return each venue with its state, and how old what came last is."""
    table = _table("<venue", "<state", "newest frame", "liquidation", "committed", "frames/s", *["<why"] * wide)
    for feed in feeds[: lines - FRAME - 1]:
        rate = f"{feed.frames_s:,.0f}"
        cells = [age(feed.newest_s), age(feed.liquidation_s), age(feed.lag_s), rate]
        table.add_row(
            Text(feed.venue, style="bold"), Text(f" {feed.state} ", style=STATES[feed.state]), *cells,
            *[Text(feed.said, style="dim", overflow="ellipsis")] * wide,
        )  # fmt: skip
    if not feeds:
        return framed("Feeds", Text("nothing has been committed in the last half hour", style="yellow"), lines)
    return framed("Feeds", table, lines, "ages as of the last commit")


def _bar(of: Total, most: float, width: int) -> Text:
    """Return longs and shorts; the part that is a lower bound is hatched."""
    cells = max(1, round(width * of.usd / most)) if most else 0
    longs = round(cells * (of.long_share or 0))
    whole = of.complete_usd / of.usd if of.usd else 0.0
    sides = ((longs, "red"), (cells - longs, "green"))
    return Text.assemble(*((_hatched(number, whole), style) for number, style in sides))


def _hatched(cells: int, whole: float) -> str:
    full = round(cells * whole)
    return "█" * full + "▒" * (cells - full)


def stress_line(rows: Rows, choice: Choice, width: int) -> Text:
    """Return how much stress there is, and in which parts, each from 0 to 1; a part that is not known has a dash."""
    row = rows[0] if rows else {}
    of = "market" if choice.base is None else choice.base
    score = row.get("score")
    if score is None:
        return Text(f"stress of {of}: not known, {row.get('parts', 0)} of {len(PARTS)} parts are", style="dim")
    style = "bold red" if score >= STRESSED else "yellow" if score >= STRESSED / 2 else "green"
    told = "  ".join(f"{name} {_part(row[column])}" for column, name in PARTS)
    line = Text.assemble(("stress ", "dim"), (f"{of} {score:.2f} ", style), (_gauge(score), style), f"  {told}")
    line.truncate(width, overflow="ellipsis")
    return line


def _gauge(score: float) -> str:
    return "▮" * round(10 * score) + "▯" * (10 - round(10 * score))


def _part(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def aged_price(row: Mapping[str, Any], now: datetime) -> Text:
    """Return a coin's price; an older one is grey, with its age: it is what was traded then."""
    old_s = (now - row["ts"]).total_seconds() if row.get("ts") else 0.0
    return (
        Text(price(row.get("price"))) if old_s < OLD_S else Text(f"{price(row.get('price'))} {age(old_s)}", style="dim")
    )


def _move(part: float | None) -> Text:
    return Text(change(part), style="" if not part else "green" if part > 0 else "red")


def _lean(longs: float | None) -> str:
    return "" if longs is None else "red" if longs > 0.6 else "green" if longs < 0.4 else ""


def _of(choice: Choice) -> str:
    named = " ".join(each for each in (choice.base, choice.venue) if each)
    return f", {named}" if named else ""


def _old(at: datetime, now: datetime) -> str:
    return f"{age((now - at).total_seconds())} old"
