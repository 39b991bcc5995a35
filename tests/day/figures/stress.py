"""market_stress: five parts between 0 and 1, each recomputed from its definition, and their weighted mean."""

import math
from functools import cache

from tests.day.facts import DAY, HOUR, Facts, Row, Rows
from tests.day.figures import funding, interest, prices
from tests.day.figures.arithmetic import grouped, listed, lowest, ratio, total, zero_or
from tests.day.figures.contracts import DOLLARS
from tests.day.figures.liquidations import amount, covered, lower, summed, within

WEIGHTS = {"liquidations": 0.30, "imbalance": 0.15, "oi_flush": 0.20, "funding": 0.15, "volatility": 0.20}
FULL_AT = {"liquidations": 1.0, "imbalance": 1.0, "oi_flush": 0.05, "funding": 0.001, "volatility": 1.0}
ENOUGH = 168


def market_stress(facts: Facts, now: int) -> Rows:
    coins = {row["base"] for row in facts.liquidations} | {row["base"] for row in facts.marks}
    found = [_row(facts, now, coin) for coin in sorted(coins)] + [_row(facts, now, None)]
    return [row for row in found if row is not None]


def _row(facts: Facts, now: int, coin: str | None) -> Row | None:
    liquidated, held = _liquidated(facts, now, coin), _interest(facts, now, coin)
    rate, moved = _rate(facts, now, coin), _moved(facts, now, coin)
    if not any((liquidated, held, rate, moved)):
        return None
    change, paid = held.get("change"), rate.get("rate_8h")
    share = liquidated.get("long_share")
    measured = {
        "liquidations": liquidated.get("quieter"), "imbalance": None if share is None else abs(2 * share - 1),
        "oi_flush": None if change is None else max(0.0, -change), "funding": None if paid is None else abs(paid),
        "volatility": moved.get("volatility"),
    }  # fmt: skip
    parts = {name: min(value / FULL_AT[name], 1) for name, value in measured.items() if value is not None}
    heard = lowest(each["coverage_share"] for each in covered(facts, now, now - HOUR).values())
    weight = math.fsum(WEIGHTS[name] for name in parts)
    return dict.fromkeys(WEIGHTS) | parts | {
        "scope": "coin" if coin else "market", "base": coin, "parts": len(parts), "weight_known": weight,
        "score": ratio(math.fsum(WEIGHTS[name] * value for name, value in parts.items()), weight) if weight > 0.499 else None,
        "liquidation_usd_1h": liquidated.get("usd"), "long_share_1h": share, "oi_change_share_1h": change,
        "rate_8h": paid, "range_1h": moved.get("range"), "oi_usd": held.get("oi_usd"),
        "completeness": liquidated.get("completeness"), "liquidation_venues": liquidated.get("venues"),
        "coverage_share": heard, "suspect_share": None if heard is None else 0.0,
        "lower_bound": lower(liquidated.get("completeness"), heard, liquidated.get("unpriced", 0)),
    }  # fmt: skip


def _liquidated(facts: Facts, now: int, coin: str | None) -> Row:
    """Compare the last hour's USD with the clock hours of 30 days before it in which there was any."""
    whole = [r for r in facts.liquidations if now - 30 * DAY <= r["ts_event"] // HOUR * HOUR <= now - 2 * HOUR]
    own = [row for row in whole if coin in (None, row["base"])]
    hour = [row for row in within(facts, now, HOUR) if coin in (None, row["base"])]
    if not own and not hour:
        return {}
    sums, usd_now = summed(hour), total(map(amount, hour))
    known = len({row["ts_event"] // HOUR for row in whole})
    usd = [zero_or(total(map(amount, rows))) for rows in grouped(own, lambda row: row["ts_event"] // HOUR).values()]
    less = 1 - sum(each >= sums["usd"] for each in usd) / known if known else None
    return {
        "usd": usd_now if hour else 0.0, "long_share": sums["long_share"],
        "completeness": sums["completeness"], "unpriced": sums["unpriced"], "venues": listed(row["venue"] for row in hour),
        "quieter": None if known < ENOUGH or not own or (hour and usd_now is None) else less if sums["usd"] else 0.0,
    }  # fmt: skip


def _interest(facts: Facts, now: int, coin: str | None) -> Row:
    rows = [
        r
        for r in interest.change_by_coin(facts, now)
        if r["hours"] == 1 and r["contracts"] and coin in (None, r["base"])
    ]
    if not rows:
        return {}
    change = total(row["change_usd_positions"] for row in rows)
    return {
        "change": ratio(change, total(row["oi_usd_then"] for row in rows)),
        "oi_usd": total(row["oi_usd"] for row in rows),
    }


def _rate(facts: Facts, now: int, coin: str | None) -> Row:
    rows = [row for row in funding.oi_weighted(facts, now) if row["contracts"] and coin in (None, row["base"])]
    weighted = total(row["rate_8h"] * row["oi_usd"] for row in rows)
    return {"rate_8h": ratio(weighted, total(row["oi_usd"] for row in rows))} if rows else {}


def _moved(facts: Facts, now: int, coin: str | None) -> Row:
    if coin is None:
        coins = {row["base"] for row in facts.marks}
        pairs = [
            (_moved(facts, now, c).get("volatility"), _interest(facts, now, c).get("oi_usd")) for c in sorted(coins)
        ]
        known = [(value, usd) for value, usd in pairs if value is not None and usd is not None]
        share = ratio(total(value * usd for value, usd in known), total(usd for _, usd in known))
        return {"volatility": share, "range": None}
    found = [row for row in _ranges(facts, now) if row["base"] == coin]
    return max(found, key=lambda row: (zero_or(row["volume"]), row["venue"], row["symbol"]), default={})


@cache
def _ranges(facts: Facts, now: int) -> Rows:
    found = []
    for own, minutes in prices._candles(facts, "1m").items():
        known = prices._known(minutes, now - HOUR, now)
        if not known or known[0]["quote"] not in DOLLARS:
            continue
        width = math.log(max(row["high"] for row in known) / min(row["low"] for row in known))
        hours = [
            bar
            for hour, bar in prices.hours(facts, prices.END)[own].items()
            if now - 30 * DAY <= hour <= now - 2 * HOUR
        ]
        narrower = sum(math.log(bar["high"] / bar["low"]) < width for bar in hours)
        found.append({
            "venue": own[0], "symbol": own[1], "base": known[0]["base"], "range": width,
            "volume": total(bar["volume_quote"] for bar in hours),
            "volatility": narrower / len(hours) if len(hours) >= ENOUGH else None,
        })  # fmt: skip
    return found


def weights(facts: Facts, now: int) -> Rows:
    return [{"part": part, "weight": weight, "full_at": FULL_AT[part]} for part, weight in WEIGHTS.items()]
