"""Views of estimated levels: the map, its clusters, where most lies, and how it did."""

import math

from tests.day.facts import SECOND, Facts, Row, Rows
from tests.day.figures import columns, scores
from tests.day.figures.arithmetic import grouped
from tests.day.figures.reach import passed, reach, swept

NEAR = 0.2
RANGES = (5, 10, 20, 50)
OF_MAP = ("price_then", "age_s", "freshness")
KEPT = ("ts", "base", "position_side", "bin", "price_low", "price_high", "price", "price_now", "distance")


def _score(facts: Facts, now: int, base: str) -> Row:
    found = next((row for row in scores.levels_score(facts, now) if row["base"] == base), {})
    names = ("rank_correlation", "top_decile_mass", "beats_nulls")
    told = {f"score_{name}": found.get(name) for name in names}
    return told | {"score_verdict": found.get("verdict", "never scored")}


def liquidation_map(facts: Facts, now: int) -> Rows:
    found = []
    for (base, _), of in grouped(swept(facts, now, 48), lambda row: (row["base"], row["position_side"])).items():
        reached, score = 0.0, _score(facts, now, base)
        for _, ring in sorted(grouped(of, lambda row: abs(row["distance"])).items()):
            reached += math.fsum(row["usd_estimated"] for row in ring)
            told = score | {"cumulative_usd": reached}
            found += [row | told for row in ring]
    return found


def bins(rows: Rows) -> Rows:
    """Return a column's rows with all leverages together."""
    by = grouped(rows, lambda row: (row["base"], row["position_side"], row["bin"]))
    return [
        {name: of[0][name] for name in (*KEPT, *(name for name in OF_MAP if name in of[0]))}
        | {"usd": math.fsum(row["usd_estimated"] for row in of), "qty": math.fsum(row["qty_base_estimated"] for row in of)}
        for of in by.values()
    ]  # fmt: skip


NOBODY = dict.fromkeys(("usd_measured", "accounts_measured", "measured_oi_share"))
"""What is measured on the day: none of its venues shows what accounts hold."""


def liquidation_heatmap(facts: Facts, now: int) -> Rows:
    found = []
    for ts, rows in columns.columns(facts).items():
        for base, of in grouped(rows, lambda row: row["base"]).items() if ts <= now else ():
            last = reach(facts, now, 48).get(base)
            if last and last["ts"] == ts:
                of = [row for row in of if not passed(row, last)]
            whole, score = math.fsum(row["usd_estimated"] for row in of), _score(facts, now, base)
            score |= {"freshness": last["freshness"] if last and last["ts"] == ts else "PAST",
                      "age_s": now // SECOND - ts // SECOND}  # fmt: skip
            told = {name: of[0][name] for name in ("model", "venues", "since", "bars_share", "weights_from")}
            for row in bins(of):
                usd = row.pop("usd")
                del row["qty"]
                row["price_then"] = row.pop("price_now")
                found.append(row | told | score | NOBODY | {"usd_estimated": usd, "share": usd / whole})
    return found


def levels_at(facts: Facts, moment: int, hours: int = 2) -> Rows:
    rows = bins(swept(facts, moment, hours))
    found = []
    for of in grouped(rows, lambda row: (row["base"], row["position_side"])).values():
        near = [row for row in of if abs(row["distance"]) <= NEAR]
        sums = {f"side_{name}": math.fsum(row[name] for row in near) if near else None for name in ("usd", "qty")}
        found += [row | sums for row in of]
    return found


def clusters_at(facts: Facts, moment: int, hours: int = 2) -> Rows:
    """Return runs of neighbouring bins, each with at least twice the mean of the side's bins within 20 %; whole where they
    begin within 20 %."""
    found = []
    for (base, side), rows in grouped(
        levels_at(facts, moment, hours), lambda row: (row["base"], row["position_side"])
    ).items():
        near = [row for row in rows if abs(row["distance"]) <= NEAR]
        if not near:
            continue
        numbers = [row["bin"] for row in near]
        threshold = 2 * math.fsum(row["usd"] for row in near) / (max(numbers) - min(numbers) + 1)
        runs: list[Rows] = []
        for row in sorted((row for row in rows if row["usd"] >= threshold), key=lambda row: int(row["bin"])):
            if runs and runs[-1][-1]["bin"] == row["bin"] - 1:
                runs[-1].append(row)
            else:
                runs.append([row])
        runs = [run for run in runs if any(abs(row["distance"]) <= NEAR for row in run)]
        own = [_cluster(run) | {"base": base, "position_side": side, "threshold_usd": threshold} for run in runs]
        found += [
            row | {"rank": 1 + sum(other["usd_estimated"] > row["usd_estimated"] for other in own)} for row in own
        ]
    return found


def _cluster(run: Rows) -> Row:
    low, high = run[0]["price_low"], run[-1]["price_high"]
    peak = max(run, key=lambda row: (row["usd"], -abs(row["distance"])))
    usd, first = math.fsum(row["usd"] for row in run), run[0]
    near = math.fsum(row["usd"] for row in run if abs(row["distance"]) <= NEAR)
    edge = high if first["position_side"] == "long" else low
    return {
        "price_low": low, "price_high": high, "peak_price": peak["price"], "usd_estimated": usd, "bins": len(run),
        "share": near / first["side_usd"], "distance": edge / first["price_now"] - 1, "price_now": first["price_now"],
        "ts": first["ts"], **{name: first[name] for name in OF_MAP},
    }  # fmt: skip


def liquidation_clusters(facts: Facts, now: int) -> Rows:
    return [row | _score(facts, now, row["base"]) for row in clusters_at(facts, now, 48)]


def liquidation_max_pain(facts: Facts, now: int) -> Rows:
    found = []
    for base, rows in grouped(bins(swept(facts, now, 48)), lambda row: row["base"]).items():
        for part in RANGES:
            near = [row for row in rows if abs(row["distance"]) * 100 <= part]
            told: Row = {}
            for side in ("long", "short"):
                own = [row for row in near if row["position_side"] == side]
                most = max(own, key=lambda row: (row["usd"], -abs(row["distance"])), default={})
                told |= {f"{side}_price": most.get("price"), f"{side}_usd_estimated": most.get("usd")}
            if near:
                of = {"base": base, "range_pct": part, "price_now": near[0]["price_now"], "ts": near[0]["ts"]}
                of |= {name: near[0][name] for name in OF_MAP}
                found.append(of | told | _score(facts, now, base))
    return found
