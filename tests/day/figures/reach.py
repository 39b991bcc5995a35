"""Where each coin's price has been since its map, and how old the map is."""

import statistics
from functools import cache

from tests.day.facts import HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures import columns, levels
from tests.day.figures.arithmetic import grouped
from tests.day.figures.prices import of_contract

NEAR_BEFORE = 15 * MINUTE
STALE_AFTER, SIGNALS_STALE_AFTER, PRICE_WITHIN = 900, 5400, 120 * SECOND
EVER = 1 << 62


def newest(facts: Facts, moment: int, hours: int, made_by: int = EVER) -> Rows:
    """Return the newest column in the hours before a moment, made for `made_by` or before."""
    last = min(moment, made_by)
    times = [ts for ts, rows in columns.columns(facts).items() if moment - hours * HOUR < ts <= last and rows]
    return columns.columns(facts)[max(times)] if times else []


@cache
def reach(facts: Facts, moment: int, hours: int = 2, made_by: int = EVER) -> dict[str, Row]:
    """Return by coin what levels_reach shows."""
    maps = grouped(newest(facts, moment, hours, made_by), lambda row: row["base"])
    return {base: _coin(facts, moment, base, rows) for base, rows in maps.items()}  # type: ignore[misc]


def rows(facts: Facts, moment: int) -> Rows:
    """Return the rows of levels_reach(as_of())."""
    return list(reach(facts, moment).values())


def _coin(facts: Facts, moment: int, base: str, rows: Rows) -> Row:
    ts, then = rows[0]["ts"], rows[0]["price_now"]
    heard = [of for own, row in levels.listings(facts).items() if row["base"] == base
             and (of := _contract(facts, own, ts, then, moment))]  # fmt: skip
    last = max((each["seen"] for each in heard), default=None)
    heard = [each for each in heard if last is not None and each["seen"] >= last - PRICE_WITHIN]
    middle = {
        name: statistics.median(known) if (known := [each[name] for each in heard if each[name] is not None]) else None
        for name in ("low", "high", "price")
    }
    age = moment // SECOND - ts // SECOND
    return {
        "base": base, "ts": ts, "price_then": then, "price_now": middle["price"] or then, "low": middle["low"],
        "high": middle["high"], "price_ts": last, "age_s": age,
        "freshness": freshness(age, last, moment, STALE_AFTER),
    }  # fmt: skip


def freshness(age: int, last: int | None, moment: int, limit: int) -> str:
    """Return FRESH or STALE."""
    young = last is not None and moment // SECOND - last // SECOND <= limit
    return "FRESH" if age <= limit and young else "STALE"


def _contract(facts: Facts, own: levels.Own, ts: int, then: float, moment: int) -> Row | None:
    """Return the contract's least, most and last price as the map's, by candles and marks each."""
    found = [of for prices in (_traded, _marked) if (of := _series(prices(facts, own, ts, moment), then))]
    if not found:
        return None
    low, high = ([each[name] for each in found if each[name] is not None] for name in ("low", "high"))
    last = max(found, key=lambda each: int(each["seen"]))
    return {
        "low": min(low, default=None),
        "high": max(high, default=None),
        "price": last["price"],
        "seen": last["seen"],
    }


def _series(rows: Rows, then: float) -> Row | None:
    if not rows:
        return None
    before, later = ([row for row in rows if row["later"] is is_later] for is_later in (False, True))
    premium = max(before, key=lambda row: int(row["seen"]))["price"] / then if before else 1.0
    last = max(rows, key=lambda row: int(row["seen"]))
    return {
        "low": min((row["low"] / premium for row in later), default=None), "seen": last["seen"],
        "high": max((row["high"] / premium for row in later), default=None), "price": last["price"] / premium,
    }  # fmt: skip


@cache
def _candles(facts: Facts) -> dict[levels.Own, Rows]:
    return grouped((r for r in facts.klines if r["interval"] == "1m" and r["price_kind"] == "trade"), of_contract)


@cache
def _marks(facts: Facts) -> dict[levels.Own, Rows]:
    return grouped((row for row in facts.marks if row["mark_price"] is not None), of_contract)


def _traded(facts: Facts, own: levels.Own, ts: int, moment: int) -> Rows:
    size = levels.listings(facts)[own]["multiplier"]
    return [
        {name: row[of] / size for name, of in (("low", "low"), ("high", "high"), ("price", "close"))}
        | {"later": row["ts_event"] >= ts, "seen": row["ts_event"] + (MINUTE if row["closed"] else 0)}
        for row in _candles(facts).get(own, [])
        if ts - NEAR_BEFORE <= row["ts_event"] <= moment and (row["ts_event"] <= moment - MINUTE or not row["closed"])
    ]


def _marked(facts: Facts, own: levels.Own, ts: int, moment: int) -> Rows:
    return [
        dict.fromkeys(("low", "high", "price"), row["mark_price"])
        | {"later": row["ts_event"] > ts, "seen": row["ts_event"]}
        for row in _marks(facts).get(own, []) if ts - NEAR_BEFORE <= row["ts_event"] <= moment
    ]  # fmt: skip


def passed(row: Row, of: Row) -> bool:
    """Say whether the price has cleared a bin since the map."""
    if of["low"] is None:
        return False
    if row["position_side"] == "long":
        return bool(row["price_high"] > of["low"] * (1 + 1e-9))
    return bool(row["price_low"] <= of["high"] * (1 + 1e-9))


def swept(facts: Facts, moment: int, hours: int = 2) -> Rows:
    """Return the newest column less what the price has passed since."""
    found = []
    for row in newest(facts, moment, hours):
        of = reach(facts, moment, hours)[row["base"]]
        if not passed(row, of):
            told = {name: of[name] for name in ("price_then", "price_now", "price_ts", "age_s", "freshness")}
            found.append(row | told | {"distance": row["price"] / of["price_now"] - 1, "low_since": of["low"],
                                       "high_since": of["high"]})  # fmt: skip
    return found
