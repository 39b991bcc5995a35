"""What `liq position` answers: the prices of a position, what each change would make of them, and what lies near."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import polars as pl

from pipelines.derive.levels.freshness import STALE
from pipelines.errors import InvalidPositionError
from pipelines.position.clusters import Stop, ahead, near, suggest_stop
from pipelines.position.effects import add_margin, after_funding, close_part, funding_paid, settlements
from pipelines.position.given import Source
from pipelines.position.market import Funding
from pipelines.position.positions import Position
from pipelines.position.price import Liquidation, bankruptcy_price, distance, liquidation_price, tier_at
from pipelines.position.tiers import Tier, TierTable


class Changes(NamedTuple):
    """What to try, each by itself: margin to add (settle currency), size to close, hours to hold; None: not asked for."""

    add_margin: float | None = None
    close: float | None = None
    hold_hours: float | None = None


class Effect(NamedTuple):
    """A change, and the position after it: `price` None where nothing liquidates it; `refused`: why it cannot be."""

    change: str
    margin: float | None = None
    price: float | None = None
    bankruptcy: float | None = None
    distance: float | None = None
    refused: str = ""


class Answer(NamedTuple):
    """`reference`: the price that distances are from, the mark price where one is known, else the entry.

    `clusters` None: no predicted levels were to be had. `stale`: why they are too old to go by, empty where they are not.
    `notes`: what to know besides, in words.
    """

    position: Position
    tier: Tier
    liquidation: Liquidation
    bankruptcy: float | None
    reference: float
    mark: float | None
    effects: tuple[Effect, ...] = ()
    clusters: pl.DataFrame | None = None
    stop: Stop | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    stale: str = ""

    @property
    def distance(self) -> float | None:
        """How far the liquidation price is from `reference`, a signed fraction; None where there is no such price."""
        return None if self.liquidation.price is None else distance(self.liquidation.price, self.reference)


def answer(
    position: Position, tiers: TierTable, changes: Changes, mark: float | None = None, funding: Funding | None = None,
    found_clusters: pl.DataFrame | None = None, stop: float | None = None, within: float = 0.1, stale: str = "",
) -> Answer:  # fmt: skip
    """Return everything about a position. Raises InvalidPositionError where it cannot be; see `price.check`.

    `found_clusters`: of predicted liquidations, as `clusters.FOUND`; None where no levels are known. `within`: those that begin
    so near are shown. `stop`: where one would put it. `stale`: why the levels are too old; a stop made of them says so.
    """
    found = liquidation_price(position, tiers)
    reference = mark or position.entry_price
    effects = tuple(_effects(position, tiers, changes, mark, funding))
    clusters, suggested = None, None
    if found_clusters is not None:
        whole = ahead(found_clusters, reference)
        clusters, suggested = (
            near(whole, within),
            suggest_stop(whole, position.position_side, reference, found.price, stop, within),
        )
        if stale:
            suggested = suggested._replace(reason=f"{suggested.reason}, by a {STALE} map: {stale}")
    return Answer(
        position, tier_at(position, tiers, position.entry_price), found, bankruptcy_price(position), reference, mark, effects,
        clusters, suggested, (), tuple(_notes(position, found, changes, mark)), stale,
    )  # fmt: skip


def _effects(
    position: Position, tiers: TierTable, changes: Changes, mark: float | None, funding: Funding | None
) -> Iterator[Effect]:
    at = mark or position.entry_price
    if changes.add_margin is not None:
        after = add_margin(position, changes.add_margin)
        yield _effect(f"with {changes.add_margin:,.8g} more margin", after, tiers, mark)
    if changes.close is not None:
        after = close_part(position, changes.close, at)
        yield _effect(f"with {changes.close:,.8g} closed at {at:,.8g}", after, tiers, mark)
    if changes.hold_hours is not None:
        if funding is None:
            what = f"after {changes.hold_hours:g} h of funding"
            yield Effect(what, refused="no funding rate is known: give --funding-rate and --funding-interval")
        else:
            yield _held(position, tiers, mark, funding, changes.hold_hours)


def _held(position: Position, tiers: TierTable, mark: float | None, funding: Funding, hold_hours: float) -> Effect:
    at = mark or position.entry_price
    times = settlements(hold_hours, funding.interval_hours, funding.next_in_hours)
    paid = funding_paid(position, funding.rate, times, at)
    word = "paid" if paid >= 0 else "received"
    what = f"after {hold_hours:g} h: {times} x {funding.rate:.6%} of funding, {abs(paid):,.8g} {word}"
    return _effect(what, after_funding(position, funding.rate, times, at), tiers, mark)


def _effect(change: str, after: Position, tiers: TierTable, mark: float | None) -> Effect:
    try:
        found = _solved(after, tiers, mark)
    except InvalidPositionError as error:
        return Effect(change, after.margin, refused=str(error))
    away = None if found.price is None else distance(found.price, mark or after.entry_price)
    return Effect(change, after.margin, found.price, bankruptcy_price(after), away)


def _solved(position: Position, tiers: TierTable, mark: float | None) -> Liquidation:
    """Solve from the entry on; a position that funding has eaten into may live on at the mark price only."""
    try:
        return liquidation_price(position, tiers)
    except InvalidPositionError:
        if mark is None:
            raise
        return liquidation_price(position, tiers, mark)


def _notes(position: Position, found: Liquidation, changes: Changes, mark: float | None) -> Iterator[str]:
    d = 1 if position.position_side == "long" else -1
    if found.price is None:
        yield "no price liquidates it: its margin covers the whole loss"
    elif mark is not None and d * (mark - found.price) <= 0:
        yield f"the mark price {mark:,.8g} is beyond the liquidation price: opened at this entry it would be gone"
    if found.on_step:
        yield "the maintenance margin jumps at this price, as the margin table has no deductions: the step liquidates it"
    if position.mode == "isolated" and changes.close is not None:
        yield "closing a part gives its share of the margin back, so that the price moves by a lower tier only"
    if position.mode == "cross":
        yield "cross: other positions are taken to stay as they are"


def as_data(found: Answer) -> dict[str, object]:
    """Return an answer as plain data for JSON: fractions for rates and distances, money in the settle currency."""
    return {
        "position": msgspec.structs.asdict(found.position),
        "liquidation_price": found.liquidation.price,
        "liquidation_on_step": found.liquidation.on_step,
        "bankruptcy_price": found.bankruptcy,
        "mark_price": found.mark,
        "distance": found.distance,
        "distance_from": "entry" if found.mark is None else "mark",
        "tier_at_entry": _tier(found.tier),
        "tier_at_liquidation": _tier(found.liquidation.tier),
        "maintenance_margin_at_liquidation": found.liquidation.maintenance,
        "effects": [effect._asdict() for effect in found.effects],
        "levels_stale": found.stale or None,
        "clusters": None if found.clusters is None else found.clusters.to_dicts(),
        "stop": None if found.stop is None else found.stop._asdict(),
        "sources": [source._asdict() for source in found.sources],
        "notes": list(found.notes),
    }


def _tier(tier: Tier) -> dict[str, object]:
    return {name: None if value == float("inf") else value for name, value in tier._asdict().items()}
