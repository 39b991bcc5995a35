"""The page: head, ticker, pulse or shout, panels and keys, as wide and high as the terminal. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.watch import figures, panels
from pipelines.watch.choice import Choice
from pipelines.watch.feeds import Feed, feeds
from pipelines.watch.sight import TICKER, Quick, Rows, Slow
from pipelines.watch.words import age, at_least, change, share, usd

WIDE = 110
NEW_S, BLINK_S = 15.0, 0.5
BLOCKS = " ▁▂▃▄▅▆▇█"
STALE_S = 60.0
"""Nothing newer stored for so long: what is shown is of then."""
KEYS = "c coin  v venue  / type a coin  t least USD  a all  q quit"
LOW = 26
"""With fewer lines for the panels, the feeds' states go into the totals."""
TALL = 30


class Seen(NamedTuple):
    """What was read by now."""

    quick: Quick | None = None
    slow: Slow | None = None
    trouble: str = ""


def page(seen: Seen, choice: Choice, title: str, now: datetime, width: int, height: int) -> RenderableType:
    """Return the page of `width` columns and at most `height` lines."""
    parts: list[RenderableType] = [_head(seen, choice, title, now, width)]
    if seen.quick is None or seen.slow is None:
        parts.append(Text(seen.trouble or "Nothing is stored yet; waiting for the first commit", style="yellow"))
        return Group(*parts)
    venues = feeds(seen.quick.heard, seen.slow.states, seen.slow.gaps, now, seen.slow.grid_s)
    if warned := _warned(venues, width):
        parts.append(warned)
    parts.append(_ticker(seen.slow.prices, now, width))
    if height >= LOW:
        parts.append(panels.stress_line(seen.slow.stress, choice, width))
    recent = figures.chosen(seen.quick.recent, choice)
    told = figures.shout(recent, now)
    parts += _banner(told, now, width, height >= TALL) if told else []
    parts.append(_pulse(figures.pulse(recent, now), width))
    body = height - len(parts) - 1
    parts += _body(seen.slow, venues, recent.to_dicts(), choice, now, width, body)
    parts.append(_keys(choice, seen.trouble))
    return Group(*parts)


def _warned(venues: Sequence[Feed], width: int) -> Text | None:
    """Return what must be known before a number is believed: stored long ago, or feeds that are not heard whole."""
    stored = min((feed.lag_s for feed in venues if feed.lag_s is not None), default=None)
    if stored is None or stored > STALE_S:
        old = "in the last half hour" if stored is None else f"for {age(stored)}"
        line = Text(f" STALE  nothing was stored {old}: `liq status` says why ", style="bold white on red")
    elif partial := [feed for feed in venues if feed.state in ("GAP", "SILENT", "SUSPECT")]:
        told = ", ".join(f"{feed.venue} {feed.state} ({feed.said})" for feed in partial)
        line = Text(
            f" PARTIAL  {len(partial)} of {len(venues)} venues are not heard whole: {told} ", style="black on yellow"
        )
    else:
        return None
    line.truncate(width, overflow="ellipsis")
    return line


def _body(
    slow: Slow, venues: Sequence[Feed], recent: Rows, choice: Choice, now: datetime, width: int, lines: int
) -> list[RenderableType]:
    last = _last(recent, slow.last, choice)
    shown = {row["venue"] for row in slow.totals if choice.keeps(row["base"], row["venue"])} | {
        each.venue for each in venues
    }
    count = (1 if choice.venue else len(shown)) + 1 + panels.FRAME + 1
    if lines < LOW:
        head = panels.totals_panel(slow.totals, choice, slow.at, now, count, venues)
        return [head, panels.list_panel(_listed(choice), last, now, max(lines - count, 4))]
    head = panels.totals_panel(slow.totals, choice, slow.at, now, count)
    foot = panels.feeds_panel(venues, len(venues) + panels.FRAME + 1 if venues else 3, width >= WIDE)
    lines -= foot.height or 0
    if width < WIDE:
        return [head, *_narrow(slow, last, choice, now, lines - count), foot]
    left, right = max(lines - count, 4), max(lines, 8)
    coins = min(left, max(6, left // 2)) if left >= 12 else left
    largest = (
        [panels.list_panel("Largest, 24 hours", _of(slow.largest, choice), now, left - coins)]
        if left - coins >= 4
        else []
    )
    cascades = max(5, right // 3)
    return [
        _beside(
            Group(head, panels.coins_panel(slow.totals, choice, slow.prices, now, coins), *largest),
            Group(
                panels.list_panel(_listed(choice), last, now, right - cascades),
                panels.cascades_panel(slow.cascades, now, cascades),
            ),
        ),
        foot,
    ]


def _narrow(slow: Slow, last: Rows, choice: Choice, now: datetime, lines: int) -> list[RenderableType]:
    """Return what fits below the totals where the terminal is narrow: the last ones first, then the others."""
    if lines < 16:
        return [panels.list_panel(_listed(choice), last, now, max(lines, 4))]
    each = lines // 3
    return [
        panels.list_panel(_listed(choice), last, now, lines - 2 * each),
        panels.coins_panel(slow.totals, choice, slow.prices, now, each),
        panels.cascades_panel(slow.cascades, now, each)
        if slow.cascades
        else panels.list_panel("Largest, 24 hours", _of(slow.largest, choice), now, each),
    ]


def _listed(choice: Choice) -> str:
    return "Last liquidations" + (f" of {usd(choice.least)} USD or more" if choice.least else "")


def _last(recent: Rows, older: Rows, choice: Choice) -> Rows:
    """Return the newest liquidations: those of the last minute, and below them what was read before."""
    since = min((row["ts_event"] for row in recent), default=None)
    rest = [
        row for row in older if choice.keeps(row["base"], row["venue"]) and (since is None or row["ts_event"] < since)
    ]
    return [row for row in (*recent, *rest) if (row["usd"] or 0.0) >= choice.least]


def _of(rows: Rows, choice: Choice) -> Rows:
    """Return the rows that are chosen: what was read may be of the choice before."""
    return [row for row in rows if choice.keeps(row["base"], row["venue"])]


def _beside(left: RenderableType, right: RenderableType) -> Table:
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(left, right)
    return grid


def _head(seen: Seen, choice: Choice, title: str, now: datetime, width: int) -> Text:
    shown = f"{choice.base or 'all coins'} · {choice.venue or 'all venues'}"
    left = Text.assemble((" liq watch ", "bold white on blue"), f" {title} · ", (shown, "bold"))
    lag = _lag(seen.quick, now)
    right = Text.assemble(f"{now:%H:%M:%S} UTC", f" · newest {lag}" if lag else "")
    left.truncate(max(width - right.cell_len - 1, 12), overflow="ellipsis")
    return Text.assemble(left, " " * max(1, width - left.cell_len - right.cell_len), right)


def _lag(quick: Quick | None, now: datetime) -> str:
    times = [row["newest"] for row in quick.heard if row["newest"]] if quick else []
    return f"{age((now - max(times)).total_seconds())} old" if times else ""


def _ticker(prices: Rows, now: datetime, width: int) -> Text:
    """Return the coins' prices; where they are wider than the terminal they walk by, a character each second."""
    tape = Text()
    order = sorted((row for row in prices if row["base"] in TICKER), key=lambda row: TICKER.index(row["base"]))
    for row in order:
        style = "green" if (row["move"] or 0) > 0 else "red"
        tape.append_text(
            Text.assemble(
                (f"{row['base']} ", "bold"), panels.aged_price(row, now), " ", (change(row["move"]), style), "   "
            )
        )
    if not order:
        return Text("no prices in the last hour", style="dim")
    if tape.cell_len <= width:
        return tape
    at = 2 * int(now.timestamp()) % tape.cell_len
    walking = tape[at:] + tape[:at]
    walking.truncate(width)
    return walking


def _banner(told: figures.Shout, now: datetime, width: int, tall: bool) -> list[Text]:
    """Return the shout: it blinks as long as it is new."""
    old = (now - told.at).total_seconds()
    coins = "  ".join(f"{coin} {usd(part)}" for coin, part in told.parts)
    longs = f"{share(max(told.long_share, 1 - told.long_share))} {'longs' if told.long_share >= 0.5 else 'shorts'}"
    what = f"{at_least(told.usd, told.lower_bound)} USD GONE IN {figures.SHOUT_S} SECONDS"
    when = "" if old < NEW_S else f" · {age(old)} ago"
    blink = "bold white on red" if int(now.timestamp() / BLINK_S) % 2 else "bold yellow on red"
    style = blink if old < NEW_S else "bold red"
    texts = [f"▓▓▒▒░░  {what}{when} · {longs} · {coins}"]
    if tall and old < NEW_S:
        texts = ["", f"▓▓▓▒▒▒░░░   {what}   ░░░▒▒▒▓▓▓", f"{longs} · {coins}", ""]
    lines = [Text(text.center(width), style=style) for text in texts]
    for line in lines:
        line.truncate(width)
    return lines


def _pulse(seconds: Sequence[float], width: int) -> Text:
    most = max(seconds)
    room = max(10, min(len(seconds), width - 42))
    shown = seconds[-room:]
    bars = "".join(BLOCKS[0 if not each else max(1, round(8 * each / most))] for each in shown) if most else " " * room
    return Text.assemble(
        ("USD/s ", "dim"), (bars, "red" if most >= figures.SHOUT_USD / figures.SHOUT_S else "cyan"), ("▏", "dim"),
        f" {usd(sum(seconds[-10:]))} in 10 s, {usd(sum(seconds))} in 60 s",
    )  # fmt: skip


def _keys(choice: Choice, trouble: str) -> Text:
    if choice.typed is not None:
        return Text.assemble(
            ("coin: ", "bold"), (choice.typed + "█", "bold yellow"), ("  Enter chooses, Esc leaves", "dim")
        )
    return Text(trouble, style="yellow") if trouble else Text(KEYS, style="dim")
