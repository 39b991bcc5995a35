"""Liquidation views: totals, their completeness, the largest, the feed."""

import math
from collections.abc import Iterable
from functools import cache

from tests.day.facts import DAY, HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures.arithmetic import any_true, grouped, highest, listed, lowest, ratio, total, zero_or
from tests.day.figures.coverage import CHANNELS, minutes

WINDOWS = (1, 4, 12, 24)


def within(facts: Facts, now: int, length: int) -> Rows:
    """Return the liquidations of the `length` before now."""
    return [row for row in facts.liquidations if now - length < row["ts_event"] <= now]


@cache
def covered(facts: Facts, now: int, since: int) -> dict[str, Row]:
    """Return per venue how much of the time since then its liquidations were listened to, whole minutes, and saturation."""
    first, last = since // MINUTE * MINUTE, (now - MINUTE) // MINUTE * MINUTE
    found = {}
    for venue, rows in _of_liquidations(facts).items():
        own = [row for row in rows if first <= row["minute"] <= last]
        heard = total(1.0 if row["repaired"] else row["connected_share"] for row in own)
        found[venue] = {
            "venue": venue,
            "coverage_share": ratio(heard, (last - first) // MINUTE + 1),
            "suspect_share": 0.0,
            "saturated_share": ratio(sum(r["saturated_seconds"] for r in own), sum(r["contract_seconds"] for r in own)),
            "measured_until": last + MINUTE,
        }
    return found


@cache
def _of_liquidations(facts: Facts) -> dict[str, Rows]:
    rows = (row for row in minutes(facts) if row["channel"] == CHANNELS[row["venue"]])
    return grouped(rows, lambda row: row["venue"])


def lower(completeness: str | None, coverage: float | None, unpriced: int) -> bool | None:
    """Return whether a total is only known to be at least so much."""
    not_all = None if completeness is None else completeness != "all"
    return any_true(not_all, None if coverage is None else coverage < 1, unpriced > 0)


def summed(rows: Rows) -> Row:
    """Return the sums of some liquidations."""
    sides = {side: [row for row in rows if row["position_side"] == side] for side in ("long", "short")}
    usd, long = zero_or(total(map(amount, rows))), zero_or(total(map(amount, sides["long"])))
    return {
        "usd": usd, "long_usd": long, "short_usd": zero_or(total(map(amount, sides["short"]))),
        "long_share": ratio(long, usd), "count": len(rows), "long_count": len(sides["long"]),
        "short_count": len(sides["short"]), "largest_usd": highest(map(amount, rows)),
        "unpriced": sum(amount(row) is None for row in rows),
        "complete_usd": zero_or(total(amount(row) for row in rows if row["completeness"] == "all")),
        "completeness": listed(row["completeness"] for row in rows),
    }  # fmt: skip


def amount(row: Row) -> float | None:
    """Return a liquidation's USD, quantity times price."""
    usd: float | None = row["notional_usd"]
    return usd


def picked(row: Row, *names: str) -> Row:
    """Return some columns."""
    return {name: row[name] for name in names}


def liquidations_filled_in(facts: Facts, now: int) -> Rows:
    names = (
        "venue", "symbol", "instrument", "base", "quote", "settle", "contract", "kind", "ts_event", "order_side",
        "position_side", "price_raw", "price", "price_kind", "order_price", "qty_raw", "qty_unit", "qty_base",
        "notional_usd", "status", "completeness", "source", "session", "seq",
    )  # fmt: skip
    return [
        picked(row, *names) | {"occurrence": row["identity"][-1], "ts_recv": row["recv"]} for row in facts.liquidations
    ]


def liquidation_totals(facts: Facts, now: int) -> Rows:
    return [
        {"hours": hours, "base": base, "venue": venue, "position_side": side}
        | picked(sums := summed(rows), "usd", "count", "largest_usd", "unpriced", "completeness", "complete_usd")
        | picked(
            of := covered(facts, now, now - hours * HOUR)[venue], "coverage_share", "suspect_share", "saturated_share"
        )
        | {"lower_bound": lower(sums["completeness"], of["coverage_share"], sums["unpriced"])}
        for hours in WINDOWS
        for (base, venue, side), rows in grouped(
            within(facts, now, hours * HOUR), lambda row: (row["base"], row["venue"], row["position_side"])
        ).items()
    ]


def _over_venues(rows: Rows, heard: dict[str, Row]) -> Row:
    venues = {row["venue"] for row in rows}
    coverage = lowest(each["coverage_share"] for each in heard.values()) if venues <= heard.keys() else None
    sums = summed(rows)
    return sums | {
        "lower_bound": lower(sums["completeness"], coverage, sums["unpriced"]), "coverage_share": coverage,
        "suspect_share": None if coverage is None else 0.0,
        "saturated_share": highest(heard[venue]["saturated_share"] for venue in venues),
        "venues": listed(venues), "venues_silent": listed(heard.keys() - venues),
    }  # fmt: skip


def liquidation_totals_by_coin(facts: Facts, now: int) -> Rows:
    return [
        {"base": base, "hours": hours, **_over_venues(rows, covered(facts, now, now - hours * HOUR))}
        for hours in WINDOWS
        for base, rows in grouped(within(facts, now, hours * HOUR), lambda row: row["base"]).items()
    ]


def liquidation_totals_by_venue(facts: Facts, now: int) -> Rows:
    found = []
    for hours in WINDOWS:
        rows = grouped(within(facts, now, hours * HOUR), lambda row: row["venue"])
        for venue, heard in covered(facts, now, now - hours * HOUR).items():
            sums = summed(rows[venue])
            claim = lower(sums["completeness"], heard["coverage_share"], sums["unpriced"])
            row = {
                "hours": hours,
                **sums,
                **heard,
                "coins": len({one["base"] for one in rows[venue]}),
                "lower_bound": claim,
            }
            del row["measured_until"]
            found.append(row)
    return found


def liquidation_totals_overall(facts: Facts, now: int) -> Rows:
    return [
        {"hours": hours, **_over_venues(within(facts, now, hours * HOUR), covered(facts, now, now - hours * HOUR))}
        for hours in WINDOWS
    ]


def liquidation_coverage_current(facts: Facts, now: int) -> Rows:
    return [{"hours": hours, **row} for hours in WINDOWS for row in covered(facts, now, now - hours * HOUR).values()]


def liquidation_coverage(facts: Facts, now: int) -> Rows:
    return [
        {"since": since, **row}
        for since in (now - 3 * HOUR, now - 7 * DAY)
        for row in covered(facts, now, since).values()
    ]


def liquidations_by_minute(facts: Facts, now: int) -> Rows:
    heard = {(row["venue"], row["minute"]): row for row in minutes(facts) if row["channel"] in CHANNELS.values()}
    key = ("minute", "base", "venue", "position_side")
    found = []
    for own, rows in grouped(
        within(facts, now, DAY), lambda r: (r["ts_event"] // MINUTE * MINUTE, r["base"], r["venue"], r["position_side"])
    ).items():
        sums = summed(rows)
        minute = heard.get((own[2], own[0])) if own[0] <= now else None
        share = None if minute is None else 1.0 if minute["repaired"] else minute["connected_share"]
        found.append(
            dict(zip(key, own, strict=True)) | picked(sums, "usd", "count", "largest_usd", "unpriced")
            | {"completeness": sums["completeness"], "coverage_share": share,
               "suspect_share": None if share is None else 0.0,
               "lower_bound": lower(sums["completeness"], share, sums["unpriced"]),
               "saturated_share": minute and ratio(minute["saturated_seconds"], minute["contract_seconds"])}
        )  # fmt: skip
    return found


def totals(facts: Facts, now: int, hours: float) -> Rows:
    since = now - int(hours * HOUR)
    if hours > 24:
        since = since // HOUR * HOUR
    rows = [row for row in facts.liquidations if since - (hours > 24) < row["ts_event"] <= now]
    heard = covered(facts, now, since)
    found = []
    for (base, venue), own in grouped(rows, lambda row: (row["base"], row["venue"])).items():
        sums = summed(own)
        del sums["long_count"], sums["short_count"]
        claim = lower(sums["completeness"], heard[venue]["coverage_share"], sums["unpriced"])
        of = picked(heard[venue], "coverage_share", "suspect_share", "saturated_share")
        found.append({"since": since, "base": base, "venue": venue, **sums, **of, "lower_bound": claim})
    return found


def _shown(row: Row, now: int, heard: dict[str, Row]) -> Row:
    names = ("ts_event", "venue", "symbol", "instrument", "base", "position_side", "qty_base", "price", "price_kind")
    return picked(row, *names, "completeness") | {
        "usd": amount(row), "age_s": now // SECOND - row["ts_event"] // SECOND,
        **picked(heard[row["venue"]], "coverage_share", "suspect_share", "saturated_share"), "occurrence": row["identity"][-1],
    }  # fmt: skip


def largest(facts: Facts, now: int, hours: int, number: int = 100, coin: str = "*") -> Rows:
    rows = [row for row in within(facts, now, hours * HOUR) if coin in ("*", row["base"])]
    heard = covered(facts, now, now - hours * HOUR)
    ranked = sorted((row for row in rows if amount(row) is not None), key=lambda row: -zero_or(amount(row)))
    more = {"venues": listed(row["venue"] for row in rows), "unpriced": sum(amount(row) is None for row in rows)}
    return [{"rank": n, **_shown(row, now, heard), **more} for n, row in enumerate(ranked[:number], 1)]


def liquidation_largest(facts: Facts, now: int) -> Rows:
    return largest(facts, now, 24)


def feed(
    facts: Facts, now: int, min_usd: float | None, times: float | None, floor_usd: float = 1000, hours: float = 24
) -> Rows:
    before = [row for row in facts.liquidations if now - 7 * DAY <= row["ts_event"] // HOUR * HOUR <= now - HOUR]
    normal = {
        feed: ratio(total(map(amount, rows)), sum(amount(row) is not None for row in rows))
        for feed, rows in grouped(before, _feed).items()
    }
    heard = covered(facts, now, now - int(hours * HOUR))
    found = []
    for row in within(facts, now, int(hours * HOUR)):
        usd, usual = zero_or(amount(row)), normal.get(_feed(row))
        large = min_usd is not None and usd >= min_usd
        unusual = times is not None and usual is not None and usd >= floor_usd and usd >= times * usual
        if large or unusual:
            own = {"normal_usd": usual, "times_normal": ratio(usd, usual)}
            found.append(_shown(row, now, heard) | own)
    return found


def _feed(row: Row) -> tuple[str, ...]:
    return row["base"], row["venue"], row["completeness"]


def liquidation_feed(facts: Facts, now: int) -> Rows:
    return feed(facts, now, 100_000, 20)


def bars(facts: Facts, now: int, length: int, name: str) -> Rows:
    """Return the rows of a rollup: per bar, contract, side and class; of all time."""
    key = ("venue", "symbol", "position_side", "completeness")
    found = []
    for own, rows in grouped(
        facts.liquidations, lambda row: (row["ts_event"] // length * length, *(row[name] for name in key))
    ).items():
        seconds = {(row["ts_event"] // MINUTE, row["ts_event"] // SECOND) for row in rows}
        found.append({
            name: own[0], **picked(rows[0], *key, "instrument", "base", "quote", "settle", "contract", "kind"),
            **picked(summed(rows), "usd", "count", "unpriced", "largest_usd"), "seconds": len(seconds),
            "qty_base": zero_or(total(row["qty_base"] for row in rows)),
        })  # fmt: skip
    return found


def heatmap(facts: Facts, now: int, instrument: str | None, since: int, price_bin: float, time_bin: int) -> Rows:
    rows = [r for r in facts.liquidations if since <= r["ts_event"] <= now and instrument in (None, r["instrument"])]
    heard = covered(facts, now, since)
    coverage = lowest(each["coverage_share"] for each in heard.values())
    saturated = highest(each["saturated_share"] for each in heard.values())
    found = []
    for named, of in grouped(rows, lambda row: row["instrument"]).items():
        width = price_bin or _width(0.002 * max(row["price"] for row in of))
        for (start, step, side), own in _cells(of, width, time_bin):
            sums = summed(own)
            found.append({
                "instrument": named, "bin_start": start, "price_low": step * width, "price_high": (step + 1) * width,
                "position_side": side, **picked(sums, "usd", "count", "largest_usd", "unpriced", "completeness"),
                "price_kinds": listed(row["price_kind"] for row in own), "venues": listed(row["venue"] for row in own),
                "lower_bound": lower(sums["completeness"], coverage, sums["unpriced"]), "coverage_share": coverage,
                "suspect_share": None if coverage is None else 0.0, "saturated_share": saturated,
            })  # fmt: skip
    return found


def _cells(rows: Rows, width: float, time_bin: int) -> Iterable[tuple[tuple[int, int, str], Rows]]:
    return grouped(
        rows,
        lambda r: (r["ts_event"] // time_bin * time_bin, math.floor(round(r["price"] / width, 6)), r["position_side"]),
    ).items()


def _width(most: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is at most `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(part * power for part in (1, 2, 5) if part * power <= most)


def liquidation_heatmap_realised(facts: Facts, now: int) -> Rows:
    return heatmap(facts, now, None, now - DAY, 0, 15 * MINUTE)
