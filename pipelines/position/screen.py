"""How `liq position` looks."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.derive.levels.freshness import STALE
from pipelines.position.answer import Answer, Effect
from pipelines.position.contracts import Named
from pipelines.position.tiers import Tier

CLUSTERS_SHOWN = 6


def show(console: Console, contract: Named, found: Answer) -> None:
    """Print an answer for a person."""
    position = found.position
    unit = contract.base if position.contract == "linear" else contract.instrument.partition("/")[2].partition(":")[0]
    leverage = f", {position.leverage:g}x" if position.leverage else ""
    console.print(Text(
        f"{position.position_side} {position.size:,.8g} {unit} of {contract.instrument} at {_number(position.entry_price)}, "
        f"{position.mode}{leverage}, margin {_number(position.margin)} {contract.settle}", style="bold",
    ))  # fmt: skip
    console.print(_prices(contract, found))
    if found.effects:
        console.print(_effects(contract, found))
    _show_levels(console, found)
    for source in found.sources:
        at = f", of {source.at:%Y-%m-%d %H:%M:%S} UTC" if source.at else ""
        note = f"; {source.note}" if source.note else ""
        console.print(Text(f"{source.what}: {source.source}{at}{note}", style="dim"))
    for note in found.notes:
        console.print(Text(f"note: {note}", style="dim"))


def _prices(contract: Named, found: Answer) -> Table:
    told, tier = found.liquidation, found.liquidation.tier
    table = Table(show_header=False, show_edge=False, box=None, padding=(0, 3, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    whence = "entry" if found.mark is None else f"mark {_number(found.mark)}"
    away = "" if found.distance is None else f"{found.distance:+.2%} from {whence}"
    table.add_row("liquidation price", Text(_number(told.price), style="bold"), away)
    table.add_row("bankruptcy price", _number(found.bankruptcy), "where the margin is gone whole, fees apart")
    needed = "" if told.maintenance is None else f"{_number(told.maintenance)} {contract.settle}"
    table.add_row("maintenance margin", f"{tier.rate:.3%}", f"{needed} at the liquidation price, {_tier(tier)}")
    if found.tier.number != tier.number:
        table.add_row("", f"{found.tier.rate:.3%}", f"at entry, {_tier(found.tier)}")
    return table


def _tier(tier: Tier) -> str:
    highest = f", up to {tier.max_leverage:g}x" if tier.max_leverage else ""
    return f"tier {tier.number}{highest}"


def _effects(contract: Named, found: Answer) -> Table:
    table = Table(show_edge=False, header_style="bold")
    for name, right in (("each by itself", False), (f"margin {contract.settle}", True), ("liquidation price", True),
                        ("distance", True), ("bankruptcy price", True)):  # fmt: skip
        table.add_column(name, justify="right" if right else "left")
    for effect in found.effects:
        table.add_row(*_cells(effect))
    return table


def _cells(effect: Effect) -> tuple[str, ...]:
    margin = "" if effect.margin is None else _number(effect.margin)
    if effect.refused:
        return (f"{effect.change}: {effect.refused}", margin, "", "", "")
    away = "" if effect.distance is None else f"{effect.distance:+.2%}"
    return effect.change, margin, _number(effect.price), away, _number(effect.bankruptcy)


def _show_levels(console: Console, found: Answer) -> None:
    if found.clusters is None:
        return
    if found.stale:
        console.print(Text(f"{STALE}: {found.stale}. A new map: liq levels estimate", style="bold"))
    if found.clusters.is_empty():
        console.print("no dense cluster of predicted liquidations is near")
    else:
        table = Table(show_edge=False, header_style="bold")
        for name in ("predicted clusters", "from", "to", "most at", "USD", "of its side", "distance"):
            table.add_column(name, justify="left" if name.startswith("pred") else "right")
        for side, low, high, peak, usd, share, away in found.clusters.head(CLUSTERS_SHOWN).iter_rows():
            sums = (f"{usd:,.0f}", f"{share:.1%}", f"{away:+.2%}")
            table.add_row(f"{side}s", _number(low), _number(high), _number(peak), *sums)
        console.print(table)
    if found.stop:
        price = "no stop to suggest" if found.stop.price is None else f"a stop at {_number(found.stop.price)}"
        console.print(Text(f"{price}: {found.stop.reason}"))


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.6g}"
