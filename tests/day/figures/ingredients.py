"""What signals are made of at a full hour: prices, zones of levels, funding, ratios and liquidations, each ending there."""

import statistics
from functools import cache

from tests.day.facts import DAY, HOUR, LENGTHS, Facts, Row, Rows
from tests.day.figures import funding, maps, prices
from tests.day.figures.arithmetic import grouped, latest, listed, ratio, total, zero_or
from tests.day.figures.contracts import DOLLARS, contracts
from tests.day.figures.thresholds import ASKED, SHARE

SIDES = {"long": 1, "short": -1}
RSI_HOURS, HEARD_DAYS, HEARD_LEAST = 160, 30, 168


@cache
def coin_prices_at(facts: Facts, moment: int) -> Rows:
    """Return each coin's price from one contract: of those whose last hour has closed that with most turnover in a day."""
    by_coin: dict[str, list[tuple[float, prices.Key]]] = {}
    for own, bars in prices.hours(facts, prices.END).items():
        contract, last = contracts(facts).get(own), bars.get(moment - HOUR)
        if contract and contract.quote in DOLLARS and last and prices._whole(last, moment - HOUR, HOUR):
            turnover = total(bar["volume_quote"] for hour, bar in bars.items() if moment - DAY <= hour < moment)
            by_coin.setdefault(contract.base, []).append((-zero_or(turnover), own))
    return [_price(facts, base, min(of)[1], moment) for base, of in by_coin.items()]


def _price(facts: Facts, base: str, own: prices.Key, moment: int) -> Row:
    size = contracts(facts)[own].multiplier
    known = {
        hour: {name: bar[name] / size for name in ("close", "high", "low")}
        for hour, bar in sorted(prices.hours(facts, prices.END)[own].items())
        if moment - RSI_HOURS * HOUR <= hour < moment and prices._whole(bar, hour, HOUR)
    }
    price, day = known[moment - HOUR]["close"], [bar for hour, bar in known.items() if hour >= moment - DAY]
    moves = {f"move_{n}h": _move(price, known.get(moment - (n + 1) * HOUR, {}).get("close")) for n in (1, 24)}
    return {
        "base": base, "venue": own[0], "symbol": own[1], "price": price, **moves, "low_24h": min(bar["low"] for bar in day),
        "high_24h": max(bar["high"] for bar in day), "hours_24h": len(day),
        "rsi_1h": prices.wilder([bar["close"] for bar in known.values()])[-1],
    }  # fmt: skip


def _move(price: float, then: float | None) -> float | None:
    return price / then - 1 if then else None


@cache
def zones_at(facts: Facts, moment: int) -> Rows:
    """Return clusters of a day before that the price has traded to the peak of since, and those ahead."""
    of = {row["base"]: row for row in coin_prices_at(facts, moment)}
    cleared = [
        _cleared(facts, row, of[row["base"]], moment) for row in maps.clusters_at(facts, moment - DAY)
        if row["base"] in of and of[row["base"]]["hours_24h"] == 24 and _reached(row, of[row["base"]])
    ]  # fmt: skip
    names = ("base", "position_side", "price_low", "price_high", "peak_price", "share", "usd_estimated", "distance")
    ahead = [
        {name: row[name] for name in names}
        | {"kind": "magnet", "state": "uncleared", "swept": None, "realised_usd": None, "realised_count": None,
           "completeness": None, "price": of.get(row["base"], row).get("price", row["price_now"]), "map_ts": row["ts"]}
        for row in maps.clusters_at(facts, moment)
    ]  # fmt: skip
    return cleared + ahead


def _reached(cluster: Row, price: Row) -> bool:
    below = bool(price["low_24h"] <= cluster["peak_price"])
    return below if cluster["position_side"] == "long" else bool(price["high_24h"] >= cluster["peak_price"])


def _cleared(facts: Facts, cluster: Row, price: Row, moment: int) -> Row:
    side, low, high = cluster["position_side"], cluster["price_low"], cluster["price_high"]
    depth = (high - price["low_24h"] if side == "long" else price["high_24h"] - low) / (high - low)
    inside = [
        row for row in facts.liquidations
        if moment - DAY <= row["ts_event"] < moment and row["quote"] in DOLLARS and row["position_side"] == side
        and row["base"] == cluster["base"] and row["price"] and low <= row["price"] < high
    ]  # fmt: skip
    names = ("base", "position_side", "price_low", "price_high", "peak_price", "share", "usd_estimated")
    return {name: cluster[name] for name in names} | {
        "kind": "support" if side == "long" else "resistance", "state": "cleared", "swept": min(depth, 1.0),
        "distance": SIDES[side] * (price["price"] / cluster["peak_price"] - 1), "price": price["price"],
        "realised_usd": zero_or(total(row["notional_usd"] for row in inside)), "realised_count": len(inside),
        "completeness": listed(row["completeness"] for row in inside), "map_ts": cluster["ts"],
    }  # fmt: skip


@cache
def leaning(facts: Facts, moment: int) -> dict[str, dict[str, float]]:
    """Return by coin the long share of all accounts and of the top traders' positions: mean of the venues' latest."""
    inside = (
        row for row in facts.ratios
        if row["kind"] in ("global_accounts", "top_positions") and moment - 3 * HOUR <= row["ts_event"] < moment
        and row["ts_event"] + LENGTHS.get(row["period"], 0) <= moment
    )  # fmt: skip
    last = latest(inside, lambda row: (row["venue"], row["symbol"], row["kind"])).values()
    found: dict[str, dict[str, float]] = {}
    for (base, kind), of in grouped(last, lambda row: (row["base"], row["kind"])).items():
        by_venue = grouped(of, lambda row: row["venue"]).values()
        means = [statistics.fmean(row["long_share"] for row in rows) for rows in by_venue]
        found.setdefault(base, {})[kind] = statistics.fmean(means)
    return found


@cache
def _liquidated(facts: Facts, moment: int) -> tuple[dict[tuple[str, str], dict[int, Rows]], int, bool]:
    """Return liquidations by coin, side and hour of the 30 days and the hour, how many hours were heard before it, and
    whether it was."""
    since = moment - HEARD_DAYS * DAY - HOUR
    rows = [row for row in facts.liquidations if since <= row["ts_event"] < moment]
    hours = {row["ts_event"] // HOUR * HOUR for row in rows}
    of = grouped((row for row in rows if row["base"]), lambda row: (row["base"], row["position_side"]))
    by_hour = {own: grouped(each, lambda row: row["ts_event"] // HOUR * HOUR) for own, each in of.items()}
    return by_hour, len(hours - {moment - HOUR}), moment - HOUR in hours


def _usd(rows: Rows) -> float:
    return zero_or(total(row["notional_usd"] for row in rows))


@cache
def signal_ingredients(facts: Facts, moment: int) -> Rows:
    known = {row["base"]: row for row in coin_prices_at(facts, moment)}
    paid = {row["base"]: row for row in funding.paid_at(facts, moment)}
    levels = {row["base"] for row in maps.levels_at(facts, moment)}
    coins = {*known, *paid, *levels, *leaning(facts, moment), *(base for base, _ in _liquidated(facts, moment)[0])}
    return [
        {"base": base, "position_side": side} | _of_price(known.get(base, {}), side) | _of_funding(paid.get(base, {}), side)
        | _of_accounts(leaning(facts, moment).get(base, {}), side) | _of_levels(facts, moment, base, side)
        | _of_liquidations(facts, moment, base, side) | _of_zones(facts, moment, base, side, known.get(base, {}))
        for base in coins if base for side in SIDES
    ]  # fmt: skip


def _of_price(price: Row, side: str) -> Row:
    move = price.get("move_1h")
    return {
        "price": price.get("price"), "price_venue": price.get("venue"), "price_symbol": price.get("symbol"),
        "rsi_1h": price.get("rsi_1h"), "move_against_1h": None if move is None else -SIDES[side] * move,
    }  # fmt: skip


def _of_funding(paid: Row, side: str) -> Row:
    rate = paid.get("rate_8h")
    names = ("oi_usd", "oi_change_1h", "oi_change_24h")
    return {name: paid.get(name) for name in names} | {"funding_paid_8h": None if rate is None else SIDES[side] * rate}


def _of_accounts(of: dict[str, float], side: str) -> Row:
    named = {"accounts_share": of.get("global_accounts"), "top_positions_share": of.get("top_positions")}
    return {name: share if share is None or side == "long" else 1 - share for name, share in named.items()}


def _side(facts: Facts, moment: int, base: str, side: str) -> Row:
    rows = maps.levels_at(facts, moment)
    return next((row for row in rows if (row["base"], row["position_side"]) == (base, side)), {})


def _of_levels(facts: Facts, moment: int, base: str, side: str) -> Row:
    own, other = (_side(facts, moment, base, each) for each in (side, "short" if side == "long" else "long"))
    usd, qty, before = own.get("side_usd"), own.get("side_qty"), _side(facts, moment - DAY, base, side).get("side_qty")
    return {
        "levels_side_share": None if usd is None else ratio(usd, usd + zero_or(other.get("side_usd"))),
        "levels_growth_24h": None if qty is None or not before else qty / before - 1, "levels_ts": own.get("ts"),
    }  # fmt: skip


def _of_liquidations(facts: Facts, moment: int, base: str, side: str) -> Row:
    by_hour, hours, heard = _liquidated(facts, moment)
    of = by_hour.get((base, side), {})
    other = by_hour.get((base, "short" if side == "long" else "long"), {})
    usd, against = (_usd(each.get(moment - HOUR, [])) for each in (of, other))
    before = [_usd(rows) for hour, rows in of.items() if hour != moment - HOUR]
    less = sum(each < usd for each in before) + hours - len(before) if usd else 0
    return {
        "liquidated_usd_1h": usd if heard else None,
        "liquidated_percentile": less / hours if heard and hours >= HEARD_LEAST else None,
        "liquidated_side_share": ratio(usd, usd + against) if heard else None,
        "completeness": listed(row["completeness"] for row in of.get(moment - HOUR, [])),
    }  # fmt: skip


def _of_zones(facts: Facts, moment: int, base: str, side: str, price: Row) -> Row:
    zones = [row for row in zones_at(facts, moment) if (row["base"], row["position_side"]) == (base, side)]
    wanted = min(one.value for one in ASKED if one.ingredient == SHARE)
    ahead = min(
        (row for row in zones if row["state"] == "uncleared"),
        key=lambda row: (row["share"] < wanted, abs(row["distance"])), default={},
    )  # fmt: skip
    behind = min(
        (row for row in zones if row["state"] == "cleared"),
        key=lambda row: (-row["share"], abs(row["distance"])),
        default={},
    )
    some, whole = (
        _side(facts, moment, base, side).get("side_usd"),
        _side(facts, moment - DAY, base, side).get("side_qty"),
    )
    nothing = 0.0 if whole is not None and price.get("hours_24h") == 24 else None
    return {
        "cluster_distance": abs(ahead["distance"]) if ahead else None,
        "cluster_share": ahead.get("share", 0.0 if some is not None else None),
        "cluster_low": ahead.get("price_low"), "cluster_high": ahead.get("price_high"),
        "cleared_share": behind.get("share", nothing), "cleared_distance": behind.get("distance"),
        "cleared_realised_usd": behind.get("realised_usd"),
        "cleared_low": behind.get("price_low"), "cleared_high": behind.get("price_high"),
    }  # fmt: skip
