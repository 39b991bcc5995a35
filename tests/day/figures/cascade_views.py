"""Views of cascades."""

import math
from itertools import accumulate

from tests.day.facts import DAY, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped, highest, listed, ratio, total
from tests.day.figures.cascades import GAP, cascades, told_in
from tests.day.figures.liquidations import picked

SECONDS = 1e6


def _since(facts: Facts, now: int, days: int) -> Rows:
    return [row for row in cascades(facts) if now - days * DAY < row["ts_start"] <= now]


def recent(facts: Facts, now: int) -> Rows:
    without = ("rule_version", "scope", "usd_long", "usd_short", "unpriced", "normal_minute_usd", "contract_seconds",
               "saturated_seconds", "price_source", "price_extreme", "price_end", "price_1h")  # fmt: skip
    found = []
    for row in _since(facts, now, 7):
        if row["scope"] == "all":
            complete = total(part["usd"] for part in told_in(facts, row) if part["completeness"] == "all")
            more = {"seconds": round((row["ts_end"] - row["ts_start"]) / SECONDS, 3), "usd_complete": complete}
            found.append({name: value for name, value in row.items() if name not in without} | more)
    return found


def _together(rows: Rows) -> Row:
    """Return what both summaries tell of several cascades."""
    known = [row["coverage_share"] for row in rows if row["coverage_share"] is not None]
    return {
        "cascades": len(rows), "usd": math.fsum(row["usd"] for row in rows), "lower_bound": any(r["lower_bound"] for r in rows),
        "completeness": listed(each for row in rows for each in row["completeness"].split(", ")),
        "coverage_share": ratio(total(known), len(known)),
        "saturated_share": ratio(sum(r["saturated_seconds"] for r in rows), sum(r["contract_seconds"] for r in rows)),
    }  # fmt: skip


def by_day(facts: Facts, now: int) -> Rows:
    key = ("day", "scope", "base", "position_side")
    rows = [row | {"day": row["ts_start"] // DAY * DAY} for row in _since(facts, now, 30)]
    found = []
    for of in grouped(rows, lambda row: tuple(row[name] for name in key)).values():
        moves = [row["move_1h"] for row in of if row["move_1h"] is not None]
        found.append(picked(of[0], *key) | _together(of) | {
            "largest_cascade_usd": highest(row["usd"] for row in of), "liquidations": sum(row["count"] for row in of),
            "longest_seconds": round(max(row["ts_end"] - row["ts_start"] for row in of) / SECONDS, 3),
            "peak_minute_usd": highest(row["peak_minute_usd"] for row in of),
            "market_wide": sum(row["market_wide"] for row in of), "mean_move_1h": ratio(total(moves), len(moves)),
            "known_move_1h": len(moves),
        })  # fmt: skip
    return found


def market_wide(facts: Facts, now: int) -> Rows:
    rows = [row for row in _since(facts, now, 30) if row["scope"] == "all" and row["market_wide"]]
    rows.sort(key=lambda row: (row["ts_start"], row["base"]))
    ends = list(accumulate((row["ts_end"] for row in rows), max))
    events: list[Rows] = []
    for n, row in enumerate(rows):
        if n and row["ts_start"] <= ends[n - 1] + GAP:
            events[-1].append(row)
        else:
            events.append([row])
    return [_event(rows) for rows in events]


def _event(rows: Rows) -> Row:
    coins = {base: math.fsum(row["usd"] for row in of) for base, of in grouped(rows, lambda row: row["base"]).items()}
    long, short = (math.fsum(row[f"usd_{side}"] for row in rows) for side in ("long", "short"))
    return _together(rows) | {
        "ts_start": min(row["ts_start"] for row in rows), "ts_end": max(row["ts_end"] for row in rows), "coins": len(coins),
        "bases": ", ".join(sorted(coins, key=lambda base: (-coins[base], base))), "usd_long": long, "usd_short": short,
        "position_side": "long" if long >= short else "short", "side_share": ratio(max(long, short), long + short),
        "count": sum(row["count"] for row in rows), "largest_usd": highest(row["largest_usd"] for row in rows),
        "coins_at_once": highest(row["coins_at_once"] for row in rows), "closed": all(row["closed"] for row in rows),
        "venues": listed(each for row in rows for each in row["venues"].split(", ")),
    }  # fmt: skip


def venues(facts: Facts, now: int) -> Rows:
    names = ("cascade_id", "ts_start", "base", "scope", "rule_version")
    return [
        picked(row, *names) | part | {"usd_share": ratio(part["usd"], row["usd"])}
        for row in cascades(facts)
        for part in told_in(facts, row)
    ]
