"""Funding views. A rate is a fraction per interval, positive: longs pay shorts."""

import statistics
from itertools import product

from tests.day.facts import DAY, HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures import interest, prices
from tests.day.figures.arithmetic import grouped, highest, latest, listed, lowest, ratio, total
from tests.day.figures.contracts import DOLLARS
from tests.day.figures.prices import of_contract

OF = ("venue", "symbol", "instrument", "base", "quote", "settle")


def by_time(row: Row) -> int:
    return int(row["ts_event"])


def per(rate: float | None, hours: float | None, length: float) -> float | None:
    """Return a rate of `hours` brought to `length` hours, simple."""
    return None if rate is None or not hours else rate * length / hours


def current(facts: Facts, now: int) -> Rows:
    heard = (r for r in facts.funding_rates if now - DAY < r["ts"] <= now and r["ts_event"] <= now)
    found = []
    for row in latest(heard, of_contract).values():
        rate, hours, due = row["funding_rate"], row["interval_hours"], row["next_funding_ts"]
        late = due is not None and due < now - 15 * MINUTE
        found.append({name: row[name] for name in OF} | {
            "funding_rate": rate, "interval_hours": hours, "rate_8h": per(rate, hours, 8), "rate_day": per(rate, hours, 24),
            "rate_year": per(rate, hours, 8760), "next_funding_ts": due, "ts_event": row["ts_event"],
            "age_s": now // SECOND - row["ts_event"] // SECOND, "stale": late or row["ts_event"] < now - 9 * HOUR,
        })  # fmt: skip
    return found


def history(facts: Facts, now: int) -> Rows:
    found = []
    for row in facts.settlements:
        rate, hours = row["funding_rate"], row["interval_hours"]
        found.append({name: row[name] for name in OF} | {
            "ts_event": row["ts_event"], "funding_rate": rate, "interval_hours": hours, "rate_8h": per(rate, hours, 8),
            "rate_year": per(rate, hours, 8760), "mark_price": row["mark_price"], "rate_type": row["rate_type"],
            "source": row["source"],
        })  # fmt: skip
    return found


def settled(facts: Facts, now: int, instrument: str, since: int) -> Rows:
    found = []
    rows = (row for row in facts.settlements if row["instrument"] == instrument and since <= row["ts_event"] <= now)
    for own in grouped(rows, of_contract).values():
        own = sorted(own, key=lambda row: int(row["ts_event"]))
        times = [row["ts_event"] for row in own]
        for n, row in enumerate(own):
            near = lowest([*(times[n] - t for t in times[:n][-1:]), *(t - times[n] for t in times[n + 1 :][:1])])
            hours, spacing = row["interval_hours"], near and near // MINUTE / 60
            came = "sent" if hours is not None else "spacing" if spacing is not None and spacing <= 24 else None
            hours = hours if came == "sent" else spacing if came else None
            rate = row["funding_rate"]
            found.append({name: row[name] for name in ("ts_event", "venue", "symbol", "instrument", "base")} | {
                "funding_rate": rate, "interval_hours": hours, "interval_from": came, "rate_8h": per(rate, hours, 8),
                "rate_year": per(rate, hours, 8760), "cumulative": total(one["funding_rate"] for one in own[: n + 1]),
            })  # fmt: skip
    return found


def cumulative(facts: Facts, now: int) -> Rows:
    found = []
    for days in (1, 7, 30, 365):
        rows = (row for row in facts.settlements if now - days * DAY < row["ts_event"] <= now)
        for own in grouped(rows, of_contract).values():
            first, last = min(row["ts_event"] for row in own), max(row["ts_event"] for row in own)
            oldest = next(row for row in own if row["ts_event"] == first)
            hours = next(
                (r["interval_hours"] for r in sorted(own, key=by_time) if r["interval_hours"] is not None), None
            )
            paid = total(row["funding_rate"] for row in own)
            covered = None if hours is None else ((last - first) // SECOND / 3600 + hours) / 24
            found.append({name: oldest[name] for name in OF} | {
                "days": days, "cumulative": paid, "settlements": len(own), "first_ts": first, "last_ts": last,
                "covered_days": covered, "rate_year": None if paid is None or not covered else paid * 365 / covered,
            })  # fmt: skip
    return found


def _weighted(facts: Facts, now: int, weights: dict[interest.Contract, float | None], name: str) -> Rows:
    found = []
    for base, rows in grouped(current(facts, now), lambda row: row["base"]).items():
        known = [
            (row, weight) for row in rows
            if (weight := weights.get(of_contract(row))) is not None and not row["stale"] and row["rate_8h"] is not None
        ]  # fmt: skip
        whole = total(weight for _, weight in known)
        rates = [row["rate_8h"] for row, _ in known]
        found.append({
            "base": base, "rate_8h": ratio(total(row["rate_8h"] * weight for row, weight in known), whole),
            "rate_year": ratio(total(row["rate_year"] * weight for row, weight in known), whole),
            "rate_8h_mean": statistics.fmean(rates) if rates else None, "rate_8h_lowest": lowest(rates),
            "rate_8h_highest": highest(rates), name: whole, "venues": listed(row["venue"] for row, _ in known),
            "contracts": len(known), "contracts_left_out": len(rows) - len(known),
        })  # fmt: skip
    return found


def oi_weighted(facts: Facts, now: int) -> Rows:
    weights = {own: row["oi_usd"] for own, row in interest.fresh(facts, now).items()}
    return _weighted(facts, now, weights, "oi_usd")


def volume_weighted(facts: Facts, now: int) -> Rows:
    weights = {of_contract(row): row["volume_usd"] for row in prices.last_day(facts, now) if row["most_of_day"]}
    return _weighted(facts, now, weights, "volume_24h_usd")


def spend(facts: Facts, now: int) -> Rows:
    open_, found = interest.fresh(facts, now), []
    names = ("venue", "symbol", "instrument", "base", "funding_rate", "interval_hours", "rate_8h", "rate_year",
             "next_funding_ts", "stale", "age_s")  # fmt: skip
    for row in current(facts, now):
        held = open_.get(of_contract(row), {})
        usd = held.get("oi_usd")
        known = usd is not None and not row["stale"]
        found.append({name: row[name] for name in names} | {
            "oi_usd": usd, "oi_age_s": held.get("age_s"), "spend_usd": row["funding_rate"] * usd if known else None,
            "spend_day_usd": row["rate_day"] * usd if known and row["rate_day"] is not None else None,
        })  # fmt: skip
    return found


def spend_by_coin(facts: Facts, now: int) -> Rows:
    found = []
    for base, rows in grouped(spend(facts, now), lambda row: row["base"]).items():
        known = [row for row in rows if row["spend_day_usd"] is not None]
        paid = [row["spend_day_usd"] for row in known]
        shorts = total(usd for usd in paid if usd < 0)
        found.append({
            "base": base, "spend_day_usd": total(paid), "paid_by_longs_day_usd": total(usd for usd in paid if usd > 0),
            "paid_by_shorts_day_usd": None if shorts is None else -shorts, "oi_usd": total(row["oi_usd"] for row in known),
            "venues": listed(row["venue"] for row in known), "contracts": len(known),
            "contracts_left_out": len(rows) - len(known),
        })  # fmt: skip
    return found


def arbitrage(facts: Facts, now: int, holding: float = 168, fee: float = 0.0005, least: float = 0) -> Rows:
    """Return pairs: long where funding is lower. APR = difference of yearly rates - (4 fees, entry loss) a year."""
    open_ = interest.fresh(facts, now)
    priced = []
    for row in current(facts, now):
        held = open_.get(of_contract(row))
        if held is None or held["mark_price"] is None or row["stale"] or row["rate_8h"] is None:
            continue
        if row["quote"] in DOLLARS and (least == 0 or (held["oi_usd"] or 0) >= least):
            priced.append(row | {"mark_price": held["mark_price"], "oi_usd": held["oi_usd"]})
    return [
        _pair(long, short, holding, 4 * fee)
        for long, short in product(priced, priced)
        if long["base"] == short["base"] and long["venue"] != short["venue"] and long["rate_8h"] < short["rate_8h"]
    ]


def _pair(long: Row, short: Row, holding: float, fees: float) -> Row:
    spread, gross = short["mark_price"] / long["mark_price"] - 1, short["rate_year"] - long["rate_year"]
    costs = fees - min(spread, 0)
    names = ("venue", "symbol", "instrument", "rate_8h", "interval_hours", "next_funding_ts")
    return {
        **{f"long_{name}": long[name] for name in names}, **{f"short_{name}": short[name] for name in names},
        "base": long["base"], "difference_8h": short["rate_8h"] - long["rate_8h"], "fees": fees, "spread": spread,
        "apr_gross": gross, "smaller_oi_usd": lowest([long["oi_usd"], short["oi_usd"]]),
        "apr": gross - costs * 8760 / holding, "net_return": gross * holding / 8760 - costs,
        "breakeven_hours": costs * 8760 / gross, "holding_hours": holding,
    }  # fmt: skip


def paid_at(facts: Facts, moment: int) -> Rows:
    """Return each coin's funding weighted by open interest, and how that has changed, as known just before a full hour."""
    closes = {(row["hour"], of_contract(row)): row for row in interest.hours(facts)}
    base_of = {of_contract(row): row["base"] for row in interest.hours(facts)}
    rates = {of_contract(row): row["rate_8h"] for row in current(facts, moment - 1) if not row["stale"]}
    found = []
    for base, own in grouped(
        ({"own": own, "base": base} for own, base in base_of.items()), lambda r: r["base"]
    ).items():
        then = {back: [closes.get((moment - back * HOUR, row["own"]), {}) for row in own] for back in (1, 2, 25)}
        usd = [row.get("close_usd") for row in then[1]]
        known = [
            (rate, value) for row, value in zip(own, usd, strict=True)
            if (rate := rates.get(row["own"])) is not None and value is not None
        ]  # fmt: skip
        found.append({
            "base": base, "rate_8h": ratio(total(rate * value for rate, value in known), total(v for _, v in known)),
            "oi_usd": total(usd), "oi_change_1h": _change(then[1], then[2]), "oi_change_24h": _change(then[1], then[25]),
        })  # fmt: skip
    return found


def _change(now: Rows, then: Rows) -> float | None:
    pairs = [(row.get("close_base"), before.get("close_base")) for row, before in zip(now, then, strict=True)]
    known = [(value, before) for value, before in pairs if value is not None and before is not None]
    return ratio(total(value - before for value, before in known), total(before for _, before in known))
