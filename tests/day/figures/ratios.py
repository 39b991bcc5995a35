"""Long/short and taker ratios (formulas.md §4)."""

from tests.day.facts import DAY, HOUR, LENGTHS, SECOND, Facts, Rows
from tests.day.figures.arithmetic import grouped, latest, ratio, total


def long_short_current(facts: Facts, now: int) -> Rows:
    heard = (row for row in facts.ratios if now - DAY < row["ts_event"] <= now and row["kind"] != "taker")
    names = ("venue", "symbol", "kind", "period", "scope", "instrument", "base", "ratio", "long_share", "short_share", "ts_event")
    rows = latest(heard, lambda row: (row["venue"], row["symbol"], row["kind"], row["period"])).values()
    return [
        {name: row[name] for name in names} | {"age_s": now // SECOND - row["ts_event"] // SECOND} for row in rows
    ]


def taker_ratio(facts: Facts, now: int) -> Rows:
    found = []
    for hours in (1, 4, 24):
        inside = [
            row for row in facts.ratios
            if row["kind"] == "taker" and row["closed"] and row["ts_event"] >= now - hours * HOUR
            and row["ts_event"] + LENGTHS[row["period"]] <= now
        ]  # fmt: skip
        for (venue, symbol), rows in grouped(inside, lambda row: (row["venue"], row["symbol"])).items():
            buys, sells = total(row["long_volume"] for row in rows), total(row["short_volume"] for row in rows)
            first = rows[0]
            found.append({
                "venue": venue, "symbol": symbol, "hours": hours, "instrument": first["instrument"], "base": first["base"],
                "period": first["period"], "buy_volume": buys, "sell_volume": sells, "unit": first["unit"],
                "ratio": ratio(buys, sells), "buy_share": ratio(buys, total([buys, sells])), "periods": len(rows),
                "periods_due": hours * HOUR // LENGTHS[first["period"]], "last_ts": max(row["ts_event"] for row in rows),
            })  # fmt: skip
    return found
