"""What the demo says at its end: what is stored beside what was sent, what can be asked of it, and what to try next."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.up.commands import own_name
from pipelines.up.screen import read
from pipelines.venues import HEARD
from warehouse import lake, query
from warehouse.shown import show_titled
from warehouse.worlds import setting

TABLES = {
    "Most liquidated in the last hour": "SELECT base, venue, position_side, usd, lower_bound, count, largest_usd "
    "FROM liquidation_totals WHERE hours = 1 ORDER BY usd DESC LIMIT 5",
    "Cascades, the largest": "SELECT ts_start, base, position_side, usd, lower_bound, seconds, count, move, coverage_share "
    "FROM cascades_recent ORDER BY usd DESC LIMIT 4",
    "Where most would be liquidated next, an estimate": "SELECT base, price_now, long_price, long_usd_estimated, short_price, "
    "short_usd_estimated, freshness, score_verdict FROM liquidation_max_pain WHERE range_pct = 20 ORDER BY base",
}
ARRIVED = "What arrived, against what was sent"
TRY = """\
{run} serve
{run} watch
{run} sql "from cascades_recent"
{run} plot heatmap --base BTC -o heatmap.png
{run} position long BTC/USDT:USDT --venue {venue} --entry 60000 --size 1 --leverage 10
{run} views"""


def tell(world: Path, out: Console, truth: dict[str, Any], lost: int = 0) -> int:
    """Show what is stored beside what was sent; return 0 where it is the same. `lost`: how often the venues themselves died."""
    with lake.open(world) as warehouse:
        for title, sql in TABLES.items():
            show_titled(out, title, query.run(warehouse, sql))
    rows = _arrived(world, truth)
    _show_arrived(out, rows)
    if lost:
        out.print(
            f"The simulated venues were started again {lost} times; what they sent before is in no count of theirs."
        )
    right = (
        not lost and len(rows) == len(truth) and all(is_right(row, truth[row["venue"]]["published"]) for row in rows)
    )
    good, bad = "Zero missing: every frame and every liquidation is stored, once.", "NOT everything is stored."
    out.print(good if right else bad, style="bold green" if right else "bold red")
    return 0 if right else 1


def is_right(row: dict[str, Any], published: int) -> bool:
    """Say whether a venue's frames are all there, and each of its liquidations once.

    More may be stored than was sent to somebody, up to all that were published: REST and the snapshots of a first connection
    bring what came before it.
    """
    return bool(row["missing"] == 0 and row["sent"] <= row["stored"] <= max(row["sent"], published))


def next_commands(world: Path) -> str:
    """Return commands to try on the world, as they are typed in this folder."""
    tried = TRY.format(run=f"{setting(world)} {own_name()}", venue=next(iter(HEARD)))
    return "\n".join(f"  {line}" for line in tried.splitlines())


def _arrived(world: Path, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return of each venue the frames and liquidations that were sent, and that are stored."""
    stored = {row["venue"]: row for row in read(world, "FROM frames_by_venue")}
    return [
        {
            "venue": venue,
            "received": stored[venue]["frames_received"],
            "committed": stored[venue]["frames"],
            "missing": stored[venue]["missing"],
            "sent": sent["sent"],
            "stored": stored[venue]["liquidations"],
        }
        for venue, sent in truth.items()
        if venue in stored
    ]


def _show_arrived(out: Console, rows: list[dict[str, Any]]) -> None:
    table = Table(title=ARRIVED, title_justify="left", title_style="bold", show_edge=False, header_style="bold")
    for name in ("venue", "frames received", "committed", "missing", "liquidations sent", "stored"):
        table.add_column(name, justify="left" if name == "venue" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else value for value in row.values()))
    out.print(table)
