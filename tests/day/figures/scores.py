"""levels_score, levels_score_by_venue, levels_model: how maps did in the bins reached, beside rules that know no position."""

import math
import random
from functools import cache
from typing import NamedTuple

from tests.day.facts import HOUR, Facts, Row, Rows
from tests.day.figures import judged
from tests.day.figures.arithmetic import grouped, listed, ratio

MODELS, NULLS = ("reach", "oi"), ("untouched", "distance", "volume", "mirrored", "uniform")
RANKED, SUMMED, TOP = "rank_correlation", "window_correlation", "top_decile_mass"
DRAWN, DRAWS, LEAST_STRETCHES, SEED = 12 * HOUR, 500, 10, 1
NOTE = (
    "throttled: the feed leaves out liquidations where many come at once, so a bin of many looks like one of few, and USD "
    "are too low; ranks only"
)
SHOWN = "oi"  # two hours are too few to prefer the other


class Cell(NamedTuple):
    """A reached bin, or a side's sum of them: what was liquidated, and what each model and rule foretold."""

    at: int
    long: bool
    usd: float
    told: dict[str, float]


@cache
def levels_score_by_venue(facts: Facts, now: int) -> Rows:
    if now < judged.UNTIL:
        return []
    scored = [one for one in judged.maps(facts) if one.at >= judged.SINCE]
    by_feed = grouped(scored, lambda one: (one.base, one.venue))  # type: ignore[arg-type, attr-defined]
    rows = [
        _row(facts, base, venue, of)
        for (base, venue), of in by_feed.items()
        if any(_cells(facts, one)[0] for one in of)
    ]  # type: ignore[arg-type]
    ranked = []
    for of in grouped(rows, lambda row: row["base"]).values():
        order = sorted(of, key=lambda row: (row["completeness"] != "all", -row["realised_usd"], row["venue"]))
        ranked += [row | {"venue_rank": n} for n, row in enumerate(order, 1)]
    return ranked


def levels_score(facts: Facts, now: int) -> Rows:
    first = [row for row in levels_score_by_venue(facts, now) if row["venue_rank"] == 1]
    return [{name: value for name, value in row.items() if name != "venue_rank"} for row in first]


def levels_model(facts: Facts, now: int) -> Rows:
    return [
        {name: row[name] for name in ("base", "venue", "until", "model")} | {"rank": row["venue_rank"]}
        for row in levels_score_by_venue(facts, now)
    ]


@cache
def _before(facts: Facts) -> dict[tuple[str, str, int], float]:
    """Return the mean liquidated in the bins reached before, by coin, venue and distance in powers of two of bins."""
    found: dict[tuple[str, str, int], list[float]] = {}
    for one in judged.maps(facts):
        if one.at < judged.SINCE and _whole(facts, one) > 0:
            for place in one.reached:
                found.setdefault((one.base, one.venue, abs(place[1]).bit_length() - 1), []).append(
                    one.realised.get(place, 0.0)
                )
    return {own: math.fsum(values) / len(values) for own, values in found.items()}


def _whole(facts: Facts, one: judged.Judged) -> float:
    of = judged.weights(facts, one.base, one.at).of
    return math.fsum(usd * of[leverage] for (_, _, leverage), usd in one.near.items())


def _cells(facts: Facts, one: judged.Judged) -> tuple[list[Cell], list[Cell]]:
    """Return the reached bins with what was foretold of each, and the sums by side, in units that can be summed."""
    of, whole = judged.weights(facts, one.base, one.at).of, _whole(facts, one)
    if whole <= 0:
        return [], []

    def opened(long: bool, offset: int) -> float:
        return math.fsum(one.near.get((long, offset, leverage), 0.0) * part for leverage, part in of.items())

    cells = []
    for (long, offset), known in zip(one.reached, one.known, strict=True):
        told = {
            "reach": known.reach(opened(long, offset)) or 0.0, "oi": opened(long, offset), "untouched": known.untouched,
            "distance": _before(facts).get((one.base, one.venue, abs(offset).bit_length() - 1), 0.0),
            "volume": float(f"{known.traded:.9g}"), "mirrored": opened(not long, -offset), "uniform": 1.0,
        }  # fmt: skip
        cells.append(Cell(one.at, long, one.realised.get((long, offset), 0.0), told))
    sides = grouped(cells, lambda cell: cell.long)  # type: ignore[arg-type, attr-defined]
    sums = [
        Cell(one.at, long, math.fsum(cell.usd for cell in part),
             {name: math.fsum(cell.told[name] for cell in part) for name in (*MODELS, *NULLS)})
        for long, part in sides.items()
    ]  # fmt: skip
    shares = [
        cell._replace(told=cell.told | {name: cell.told[name] / whole for name in ("oi", "mirrored")}) for cell in cells
    ]
    return shares, sums


def _row(facts: Facts, base: str, venue: str, maps: list[judged.Judged]) -> Row:
    cells, sums = (
        [cell for one in maps for cell in _cells(facts, one)[0]],
        [cell for one in maps for cell in _cells(facts, one)[1]],
    )
    outside = math.fsum(usd for one in maps for place, usd in one.realised.items() if place not in set(one.reached))
    told = [
        row for row in judged.realised(facts) if row["own"][0] == venue and judged.SINCE <= row["ts"] < judged.UNTIL
    ]
    whole = all(row["completeness"] == "all" for row in told)
    found = {measure: _measured(sums if measure == SUMMED else cells, measure) for measure in (RANKED, SUMMED, TOP)}
    if not whole:
        found[TOP] = dict.fromkeys(found[TOP])
    strongest = max(NULLS, key=lambda null: _or_lowest(found[RANKED][null, ""]))
    leads = [
        found[measure][null, "lead_low"] for measure in (RANKED, TOP) for null in NULLS if whole or measure == RANKED
    ]
    beats = None if None in leads else min(leads) > 0  # type: ignore[type-var]
    own = found[RANKED]
    lead = None if own[SHOWN, ""] is None or own[strongest, ""] is None else own[SHOWN, ""] - own[strongest, ""]  # type: ignore[operator]
    return {
        "base": base, "venue": venue, "model": SHOWN, "since": judged.SINCE, "until": judged.UNTIL,
        **{f"{measure}{end}": found[measure][SHOWN, end] for measure in (RANKED, TOP) for end in ("", "_low", "_high")},
        **{f"rank_correlation_{name}": own[name, ""] for name in (*MODELS, *NULLS[:4])},
        "window_correlation": found[SUMMED][SHOWN, ""], "window_correlation_untouched": found[SUMMED]["untouched", ""],
        **{f"top_decile_mass_{name}": found[TOP][name, ""] for name in ("untouched", "uniform", "mirrored")},
        "strongest": strongest if own[strongest, ""] is not None else None, "maps": len({cell.at for cell in cells}),
        "cells": len(cells), "realised_usd": math.fsum(cell.usd for cell in cells), "outside_usd": outside,
        "venues": listed([venue]), "weights_from": _methods(facts, maps), "features_from": "published",
        "completeness": "all" if whole else "throttled", "note": None if whole else NOTE, "lead": lead,
        "lead_low": own[strongest, "lead_low"], "lead_high": own[strongest, "lead_high"], "beats_nulls": beats,
        **dict.fromkeys(("verdict", "verdict_oi"), "not known: the back-test is too short"),
    }  # fmt: skip


def _or_lowest(value: float | None) -> float:
    return -math.inf if value is None else value


def _methods(facts: Facts, maps: list[judged.Judged]) -> str:
    return " and ".join(
        sorted({judged.weights(facts, one.base, one.at).method for one in maps if _cells(facts, one)[0]})
    )


Figures = dict[tuple[str, str], float | None]


def _measured(cells: list[Cell], measure: str) -> Figures:
    """Return of each model and rule the value, its 95 % interval by block bootstrap, and of a rule that of the lead over it."""
    stretches = [[n for n, cell in enumerate(cells) if cell.at // DRAWN == stretch]
                 for stretch in sorted({cell.at // DRAWN for cell in cells})]  # fmt: skip
    dice = random.Random(SEED)
    draws = (
        [dice.choices(stretches, k=len(stretches)) for _ in range(DRAWS)] if len(stretches) >= LEAST_STRETCHES else []
    )
    samples = [list(range(len(cells))), *([n for part in draw for n in part] for draw in draws)]
    y, found, of = _ranks([cell.usd for cell in cells]), Figures(), dict[str, list[float | None]]()
    for name in (*MODELS, *NULLS):
        x = [cell.told[name] for cell in cells]
        share, ranks = _top_tenth(x), _ranks(x)
        of[name] = [
            ratio(math.fsum(share[n] * cells[n].usd for n in s), math.fsum(cells[n].usd for n in s)) if measure == TOP
            else _correlation([ranks[n] for n in s], [y[n] for n in s], len(cells))
            for s in samples
        ]  # fmt: skip
        found[name, ""] = of[name][0]
        found[name, "_low"], found[name, "_high"] = _interval(of[name][1:])
        leads = [None if a is None or b is None else a - b for a, b in zip(of.get(SHOWN, []), of[name], strict=False)]
        found[name, "lead_low"], found[name, "lead_high"] = _interval(leads[1:])
    return found


def _interval(drawn: list[float | None]) -> tuple[float | None, float | None]:
    known = sorted(each for each in drawn if each is not None)
    return (known[int(0.025 * (len(known) - 1))], known[round(0.975 * (len(known) - 1))]) if known else (None, None)


def _ranks(values: list[float]) -> list[float]:
    """Return each value's place from the lowest on, of equals the mean of theirs."""
    order = sorted(values)
    places = {value: n for n, value in enumerate(order, 1)}
    first = {value: n for n, value in reversed(list(enumerate(order, 1)))}
    return [(first[value] + places[value]) / 2 for value in values]


def _correlation(x: list[float], y: list[float], size: int) -> float | None:
    """Return Pearson's correlation; of values that are all alike 0 (foretold), None (realised)."""
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    xx, yy = math.fsum((a - mean_x) ** 2 for a in x), math.fsum((b - mean_y) ** 2 for b in y)
    if yy <= 1e-9 * len(y) * size**2:
        return None
    together = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return 0.0 if xx <= 1e-9 * len(x) * size**2 else together / math.sqrt(xx * yy)


def _top_tenth(values: list[float]) -> list[float]:
    """Return which part of each bin is among the tenth with the highest value; equals at its edge share the room."""
    room, shares = 0.1 * len(values), {}
    for value in sorted(set(values), reverse=True):
        tied = values.count(value)
        shares[value] = min(max(room / tied, 0.0), 1.0)
        room -= tied
    return [shares[value] for value in values]
