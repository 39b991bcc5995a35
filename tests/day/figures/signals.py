"""Signals: ingredients held against thresholds; what fired at the hours looked at, and what the price did after."""

import math
import statistics
from functools import cache
from itertools import pairwise

from tests.day.facts import HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures import columns, prices, reach, scores
from tests.day.figures.arithmetic import grouped, ratio, total
from tests.day.figures.contracts import DOLLARS, contracts
from tests.day.figures.ingredients import signal_ingredients, zones_at
from tests.day.figures.thresholds import ASKED, WASH, ZONES, Asked, expected

SETTLED = 10 * MINUTE
LOOKED = tuple(1_794_960_000_000_000 + hour * HOUR for hour in range(8, 17))  # 2026-11-18 08:00 to 16:00
LOOKED_AT = columns.UNTIL
HORIZONS = (1, 4, 24)
ENOUGH = 30


def hour_of(now: int) -> int:
    """Return the last full hour whose rows have had ten minutes to arrive."""
    return (now - SETTLED) // HOUR * HOUR


def _met(one: Asked, found: float | None) -> bool | None:
    if found is None:
        return None
    return found >= one.value if one.comparison == ">=" else found <= one.value


@cache
def signals_at(facts: Facts, moment: int) -> Rows:
    found = []
    for row in signal_ingredients(facts, moment):
        own = [one for one in ASKED if row["position_side"] in one.sides]
        found += [_signal(row, name, of) for name, of in grouped(own, lambda one: one.signal).items()]  # type: ignore[attr-defined, arg-type]
    return [row for row in found if row["known"]]


def _signal(row: Row, name: str, asked: list[Asked]) -> Row:
    met = {one: _met(one, row[one.ingredient]) for one in asked}
    required = [one for one in asked if one.role == "required"]
    support = [met[one] for one in asked if one.role != "required"]
    needed, missing = (
        {one.ingredient for one in required if one in of} for of in (met, [o for o in asked if met[o] is None])
    )
    fired = False if any(met[one] is False for one in required) else None if missing else True
    zone = {ZONES: "cleared", WASH: None}.get(name, "cluster")
    told = sorted(asked, key=lambda one: (one.role, one.name))
    return {
        "signal": name, "base": row["base"], "position_side": row["position_side"],
        "expected": expected(name, row["position_side"]), "fired": fired, "known": len(needed - missing),
        "needed": len(needed), "supporting": support.count(True), "supporting_known": len(support) - support.count(None),
        "missing": ", ".join(sorted(missing)) or None, "ingredients": {one.name: row[one.ingredient] for one in asked},
        "thresholds": {one.name: float(one.value) for one in asked},
        "conditions": "; ".join(_in_words(one, row[one.ingredient], met[one]) for one in told),
        **{each: row[each] for each in ("price", "price_venue", "price_symbol", "oi_usd", "levels_ts")},
        **{f"zone_{end}": row[f"{zone}_{end}"] if zone else None for end in ("low", "high")},
        "completeness": row["completeness"] if name == WASH else None,
    }  # fmt: skip


def _in_words(one: Asked, found: float | None, met: bool | None) -> str:
    value = "not known" if found is None else repr(round(float(found), 6))
    verdict = "" if met is None else ": yes" if met else ": no"
    return f"{one.ingredient} {value} {one.comparison} {float(one.value)!r}{verdict}"


NEAR = {"cluster_share": "cluster_share", "cluster_distance": "cluster_distance"}
SHOWN = {
    "overheated_longs": NEAR | {"funding": "funding_paid_8h", "rsi": "rsi_1h", "accounts": "accounts_share"},
    "crowded_positions": NEAR | {"accounts": "accounts_share", "top_positions": "top_positions_share",
                                 "levels_side": "levels_side_share", "funding": "funding_paid_8h"},
    "washouts": {"liquidated": "liquidated_usd_1h", "percentile": "liquidated_percentile", "side": "liquidated_side_share",
                 "flush": "oi_change_1h", "move": "move_against_1h", "rsi": "rsi_1h"},
    "oi_backed_clusters": NEAR | {"oi": "oi_change_24h", "growth": "levels_growth_24h", "funding": "funding_paid_8h"},
}  # fmt: skip
SHOWN["squeeze_setups"] = SHOWN["overheated_longs"]


def view(facts: Facts, now: int, signal: str) -> Rows:
    """Return the rows of the view of one signal."""
    of_levels = ("zone_low", "zone_high", "levels_ts", "price_now", "passed", "levels_age_s", "freshness")
    without = {"signal", "ingredients", "price_venue", "price_symbol"} | (
        {*of_levels} if signal == WASH else {"completeness"}
    )
    found = []
    for row in _current(facts, now):
        if row["signal"] == signal:
            values = {shown: row["ingredients"][name] for name, shown in SHOWN[signal].items()}
            score = {} if signal == WASH else {"levels_score": _score(facts, now, row["base"])}
            kept = {name: value for name, value in row.items() if name not in without}
            found.append(kept | values | score | {"ts": hour_of(now)})
    return found


def _current(facts: Facts, now: int) -> Rows:
    """Return the signals of the last full hour, zones less what the price has passed since."""
    found = []
    for row in signals_at(facts, hour_of(now)):
        of = reach.reach(facts, now, 4, hour_of(now)).get(row["base"])
        long, low, high = row["position_side"] == "long", row["zone_low"], row["zone_high"]
        passed = low is not None and of is not None and of["low"] is not None and (
            of["low"] <= low if long else of["high"] >= high)  # fmt: skip
        if passed:
            low = high = None
        elif low is not None and of and of["low"] is not None and row["signal"] != ZONES:
            low, high = (low, min(high, of["low"])) if long else (max(low, of["high"]), high)
        fired = row["fired"] if not passed else False
        found.append(row | {"fired": fired, "passed": passed, "zone_low": low, "zone_high": high,
                            "price_now": of["price_now"] if of else None} | _age(row, of, now))  # fmt: skip
    return found


def _age(row: Row, of: Row | None, now: int) -> Row:
    if of is None or row["signal"] == WASH:
        return {"levels_age_s": None, "freshness": None}
    fresh = reach.freshness(of["age_s"], of["price_ts"], now, reach.SIGNALS_STALE_AFTER)
    return {"levels_age_s": of["age_s"], "freshness": fresh}


def signals_current(facts: Facts, now: int) -> Rows:
    return [row | {"ts": hour_of(now), "levels_score": _score(facts, now, row["base"])} for row in _current(facts, now)]


def _score(facts: Facts, now: int, base: str) -> str:
    return next((row["verdict"] for row in scores.levels_score(facts, now) if row["base"] == base), "never scored")


def support_resistance(facts: Facts, now: int) -> Rows:
    signals = {(row["base"], row["position_side"]): row for row in _current(facts, now) if row["signal"] == ZONES}
    found = []
    for whole in zones_at(facts, hour_of(now)):
        zone = _zone(facts, whole, now)
        if zone is None:
            continue
        signal = signals.get((zone["base"], zone["position_side"]), {})
        own = zone["state"] == "cleared" and signal.get("zone_low") == whole["price_low"]
        names = ("known", "needed", "missing", "conditions", "thresholds")
        found.append(zone | {name: signal.get(name) for name in names} | {
            "ts": hour_of(now), "is_signal": own, "fired": signal["fired"] if own else None,
            "expected": signal["expected"] if own else None, "levels_score": _score(facts, now, zone["base"]),
        })  # fmt: skip
    return found


def _zone(facts: Facts, zone: Row, now: int) -> Row | None:
    """Return what the price has left of a zone since the hour, None where that is nothing."""
    of = reach.reach(facts, now, 4, hour_of(now)).get(zone["base"])
    age = {"map_age_s": now // SECOND - zone["map_ts"] // SECOND}
    if of is None:
        return zone | age | {"price_now": None, "freshness": "STALE"}
    told = age | {"price_now": of["price_now"],
                  "freshness": reach.freshness(of["age_s"], of["price_ts"], now, reach.SIGNALS_STALE_AFTER)}  # fmt: skip
    long, low, high = zone["position_side"] == "long", zone["price_low"], zone["price_high"]
    if of["low"] is not None:
        if of["low"] <= low if long else of["high"] >= high:
            return None
        if zone["state"] == "uncleared":
            low, high = (low, min(high, of["low"])) if long else (max(low, of["high"]), high)
    away = (1 if long else -1) * (of["price_now"] / zone["peak_price"] - 1)
    if zone["state"] == "uncleared":
        away = (high if long else low) / of["price_now"] - 1
    return zone | told | {"price_low": low, "price_high": high, "distance": away}


@cache
def fired(facts: Facts) -> Rows:
    """Return what fired at the hours looked at."""
    return [row | {"ts": hour} for hour in LOOKED for row in signals_at(facts, hour) if row["fired"]]


def _close(facts: Facts, own: prices.Key, end: int, now: int) -> float | None:
    """Return the close of the hour that ends then, once it is over."""
    bar = prices.hours(facts, prices.END).get(own, {}).get(end - HOUR)
    close: float | None = bar["close"] if bar and end <= now and prices._whole(bar, end - HOUR, HOUR) else None
    return close


def _move(facts: Facts, own: prices.Key, hour: int, hours: int, now: int) -> float | None:
    before, then = _close(facts, own, hour, now), _close(facts, own, hour + hours * HOUR, now)
    return None if then is None or not before else then / before - 1


def signals_history(facts: Facts, now: int) -> Rows:
    without = ("fired", "known", "needed", "missing")
    found = []
    for row in fired(facts):
        if row["ts"] <= now:
            own = row["price_venue"], row["price_symbol"]
            moves = {f"move_{hours}h": _move(facts, own, row["ts"], hours, now) for hours in HORIZONS}
            late = {"seconds_late": (LOOKED_AT - row["ts"]) // SECOND}
            found.append({name: value for name, value in row.items() if name not in without} | moves | late)
    return found


def _apart(hours: list[int], length: int) -> list[int]:
    """Return those that follow the one before by so many hours or more."""
    return [hour for before, hour in pairwise([-(1 << 62), *hours]) if hour - before >= length * HOUR]


def signals_outcome(facts: Facts, now: int) -> Rows:
    looked = [hour for hour in LOOKED if hour <= now]
    kinds = sorted({(one.signal, side) for one in ASKED for side in one.sides}) if looked else []
    return [
        row
        for signal, side in kinds
        for hours in HORIZONS
        for row in _outcomes(facts, now, signal, side, hours, looked)
    ]


def _outcomes(facts: Facts, now: int, signal: str, side: str, hours: int, looked: list[int]) -> Rows:
    of = [
        row for row in fired(facts) if (row["signal"], row["position_side"]) == (signal, side) and row["ts"] in looked
    ]
    up = expected(signal, side) == "up"
    coins = {base: _coin(facts, now, base, [row["ts"] for row in own], hours, (up, looked)) for base, own in
             grouped(of, lambda row: row["base"]).items()}  # fmt: skip
    common = {
        "signal": signal, "position_side": side, "expected": expected(signal, side), "hours": hours, "since": looked[0],
        "until": looked[-1], "hours_looked": len(looked),
    }  # fmt: skip
    found = [_judged(common | {"base": base, "coins": 1}, coin, [coin]) for base, coin in coins.items()]
    return [*found, _judged(common | {"base": "*", "coins": len(coins)}, None, list(coins.values()))]


def _coin(facts: Facts, now: int, base: str, hours: list[int], length: int, of: tuple[bool, list[int]]) -> Row:
    """Return what came after a coin's firings, windows that overlap counted once, and after any hour of the time."""
    up, looked = of
    own = _chosen(facts, now, base, looked[0])

    def gain(hour: int) -> float | None:
        move = _move(facts, own, hour, length, now) if own else None
        return move if move is None or up else -move

    first = _apart(hours, length)
    gains = {hour: value for hour in first if (value := gain(hour)) is not None}
    due = [hour for hour in first if hour + length * HOUR > now]
    usual = [value for hour in range(looked[0], looked[-1] + 1, HOUR) if (value := gain(hour)) is not None]
    return {
        "fired": hours, "gains": gains, "pending": len(due), "unpriced": len(set(first) - set(due) - gains.keys()),
        "usual": usual,
    }  # fmt: skip


def _chosen(facts: Facts, now: int, base: str, since: int) -> prices.Key | None:
    """Return the coin's contract with the most closed hours in the time."""
    counts = [
        (-len(known), own) for own, bars in prices.hours(facts, prices.END).items()
        if own in contracts(facts) and contracts(facts)[own].base == base and contracts(facts)[own].quote in DOLLARS
        and (known := [h for h, bar in bars.items() if since - HOUR <= h <= now - HOUR and prices._whole(bar, h, HOUR)])
    ]  # fmt: skip
    return min(counts)[1] if counts else None


def _judged(row: Row, one: Row | None, coins: list[Row]) -> Row:
    gains = [value for coin in coins for value in coin["gains"].values()]
    hours = sorted({hour for coin in coins for hour in coin["gains"]})
    number = len(_apart(hours, row["hours"])) if one is None else len(gains)
    share = ratio(sum(value > 0 for value in gains), len(gains))
    low, high = _wilson(share, number)
    late = [(LOOKED_AT - hour) // SECOND for coin in coins for hour in coin["fired"]]
    usual = _usual(coins, one is not None)
    return row | usual | {
        "fired": len(late), "n": len(gains), "windows": number, "mean": statistics.fmean(gains) if gains else None,
        "median": statistics.median(gains) if gains else None, "share": share, "share_low": low, "share_high": high,
        "verdict": _verdict(len(late), number, usual["base_share"], low, high),
        "pending": sum(coin["pending"] for coin in coins), "unpriced": sum(coin["unpriced"] for coin in coins),
        "seconds_late": statistics.median(late) if late else None,
    }  # fmt: skip


def _usual(coins: list[Row], one: bool) -> Row:
    """Return the same of every hour; of all coins their values weighted by how often each counted."""
    known = [coin for coin in coins if coin["usual"]]
    measures = {
        "mean": statistics.fmean, "median": statistics.median, "share": lambda of: sum(value > 0 for value in of) / len(of)
    }  # fmt: skip
    found: Row = {"base_n": sum(len(coin["usual"]) for coin in known)}
    for name, measure in measures.items():
        parts = [(measure(coin["usual"]), 1 if one else len(coin["gains"])) for coin in known]
        found[f"base_{name}"] = ratio(total(value * part for value, part in parts), sum(part for _, part in parts))
    return found


def _wilson(share: float | None, number: int) -> tuple[float | None, float | None]:
    if share is None or not number:
        return None, None
    spread = 1.96 * math.sqrt(share * (1 - share) / number + 0.9604 / number**2)
    low, high = ((share + 1.9208 / number + sign * spread) / (1 + 3.8416 / number) for sign in (-1, 1))
    return low, high


def _verdict(times: int, number: int, usual: float | None, low: float | None, high: float | None) -> str:
    if not times:
        return "never fired"
    if number < ENOUGH:
        return "too few"
    if usual is None or low is None or high is None:
        return "no base rate"
    more, less = "more often than after any hour", "less often than after any hour"
    return more if low > usual else less if high < usual else "no clear difference from any hour"
