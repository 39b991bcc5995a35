"""liquidation_imbalance: the last hour against the hours before it."""

import statistics

from tests.day.facts import DAY, HOUR, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped, highest, listed, lowest, ratio, total, zero_or
from tests.day.figures.liquidations import amount, covered, lower, summed, within

ENOUGH = 24


def liquidation_imbalance(facts: Facts, now: int) -> Rows:
    hour, heard = within(facts, now, HOUR), covered(facts, now, now - HOUR)
    whole = [r for r in facts.liquidations if now - 30 * DAY <= r["ts_event"] // HOUR * HOUR <= now - 2 * HOUR]
    coins = {row["base"] for row in (*hour, *whole)} | ({"*"} if hour or whole else set())
    found = []
    for days in (7, 30):
        bars = [row for row in whole if row["ts_event"] // HOUR * HOUR >= now - days * DAY]
        hours = len({row["ts_event"] // HOUR for row in bars})
        lowest_then = lowest(each["coverage_share"] for each in covered(facts, now, now - days * DAY).values())
        for coin in coins:
            own = [row for row in hour if coin in ("*", row["base"])]
            compared = _compared([row for row in bars if coin in ("*", row["base"])], hours, summed(own))
            found.append(
                {"base": coin, "days": days, "hours": hours, "days_coverage_share": lowest_then}
                | _hour(own, heard) | compared
            )  # fmt: skip
    return found


def _hour(rows: Rows, heard: dict[str, Row]) -> Row:
    sums = summed(rows)
    coverage = lowest(each["coverage_share"] for each in heard.values())
    names = ("usd", "long_usd", "short_usd", "long_share", "unpriced", "completeness")
    return {name: sums[name] for name in names} | {
        "lower_bound": lower(sums["completeness"], coverage, sums["unpriced"]), "coverage_share": coverage,
        "suspect_share": None if coverage is None else 0.0,
        "saturated_share": highest(each["saturated_share"] for each in heard.values()),
        "venues": listed(row["venue"] for row in rows),
    }  # fmt: skip


def _compared(rows: Rows, hours: int, now: Row) -> Row:
    by_hour = [summed(own) for own in grouped(rows, lambda row: row["ts_event"] // HOUR).values()]
    usd = [each["usd"] for each in by_hour] + [0.0] * (hours - len(by_hour))
    shares = [each["long_share"] for each in by_hour if each["long_share"] is not None]
    mean, enough, active = ratio(total(usd), hours), hours >= ENOUGH, len(shares) >= ENOUGH
    spread = statistics.stdev(usd) if len(usd) > 1 else 0
    share = now["long_share"] if active else None
    return {
        "mean_usd": mean, "usd_z": ratio(now["usd"] - zero_or(mean), spread) if enough and mean is not None else None,
        "usd_percentile": sum(each < now["usd"] for each in usd) / hours if enough else None,
        "active_hours": len(shares),
        "long_share_days": ratio(total(amount(r) for r in rows if r["position_side"] == "long"), total(map(amount, rows))),
        "long_share_z": None if share is None else ratio(share - statistics.fmean(shares), statistics.stdev(shares)),
        "long_share_percentile": None if share is None else sum(each < share for each in shares) / len(shares),
    }  # fmt: skip
