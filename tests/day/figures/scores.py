"""levels_score: rank correlation and mass in the top tenth of the bins that the price reached, beside two null models."""

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from tests.day.facts import HOUR, Facts, Row, Rows
from tests.day.figures import judged
from tests.day.figures.arithmetic import grouped, listed, lowest, ratio

NULLS = ("uniform", "mirrored")
DRAWN, DRAWS, LEAST_STRETCHES, SEED = 12 * HOUR, 500, 10, 1


class Cell(NamedTuple):
    """A reached bin: what was liquidated in it, and what each model foretold."""

    at: int
    usd: float
    levels: float
    mirrored: float
    uniform: float = 1.0


@cache
def levels_score(facts: Facts, now: int) -> Rows:
    if now < judged.UNTIL:
        return []
    scored = [one for one in judged.maps(facts) if one.at >= judged.SINCE]
    return [
        _row(facts, base, of)
        for base, of in grouped(scored, lambda one: one.base).items()
        if any(_cells(facts, one) for one in of)  # type: ignore[attr-defined, arg-type]
    ]


def _cells(facts: Facts, one: judged.Judged) -> list[Cell]:
    of = judged.weights(facts, one.base, one.at).of
    whole = math.fsum(usd * of[leverage] for (_, _, leverage), usd in one.near.items())

    def foretold(long: bool, offset: int) -> float:
        return math.fsum(one.near.get((long, offset, leverage), 0.0) * part for leverage, part in of.items()) / whole

    return [
        Cell(one.at, one.realised.get((long, offset), 0.0), foretold(long, offset), foretold(not long, -offset))
        for long, offset in one.reached
        if whole > 0
    ]


def _row(facts: Facts, base: str, maps: Sequence[judged.Judged]) -> Row:
    cells = [cell for one in maps for cell in _cells(facts, one)]
    outside = math.fsum(usd for one in maps for place, usd in one.realised.items() if place not in set(one.reached))
    found = _measured(cells)
    leads = [found[measure, null, "lead_low"] for measure in MEASURES for null in NULLS]
    beats = None if None in leads else min(leads) > 0  # type: ignore[type-var]
    by_null = {null: lowest(found[measure, null, "lead_low"] for measure in MEASURES) for null in NULLS}
    return {
        "base": base, "since": judged.SINCE, "until": judged.UNTIL, "maps": len({cell.at for cell in cells}),
        "cells": len(cells), "realised_usd": math.fsum(cell.usd for cell in cells), "outside_usd": outside,
        **{f"{measure}{end}": found[measure, "levels", end] for measure in MEASURES for end in ("", "_low", "_high")},
        **{f"{measure}_{null}": found[measure, null, ""] for measure, null in SHOWN},
        **{f"lead_low_{null}": by_null[null] for null in NULLS}, "beats_nulls": beats, "venues": _venues(facts),
        "weights_from": _methods(facts, maps), "verdict": _verdict(beats, by_null["uniform"]),
    }  # fmt: skip


MEASURES = ("rank_correlation", "top_decile_mass")
SHOWN = (("rank_correlation", "mirrored"), ("top_decile_mass", "uniform"), ("top_decile_mass", "mirrored"))


def _venues(facts: Facts) -> str | None:
    return listed(row["own"][0] for row in judged.realised(facts) if judged.SINCE <= row["ts"] < judged.UNTIL)


def _methods(facts: Facts, maps: Sequence[judged.Judged]) -> str:
    return " and ".join(sorted({judged.weights(facts, one.base, one.at).method for one in maps}))


def _verdict(beats: bool | None, over_uniform: float | None) -> str:
    if beats is None:
        return "not known: the back-test is too short"
    if beats:
        return "clearly better than chance and than the mirrored map"
    clear = over_uniform is not None and over_uniform > 0
    return "better than chance, but not clearly than the mirrored map" if clear else "not clearly better than chance"


def _measured(cells: list[Cell]) -> dict[tuple[str, str, str], float | None]:
    """Return per measure and model the value, its 95 % interval by block bootstrap, and of a null that of the lead over it."""
    stretches = [[n for n, cell in enumerate(cells) if cell.at // DRAWN == stretch]
                 for stretch in sorted({cell.at // DRAWN for cell in cells})]  # fmt: skip
    dice = random.Random(SEED)
    draws = (
        [dice.choices(stretches, k=len(stretches)) for _ in range(DRAWS)] if len(stretches) >= LEAST_STRETCHES else []
    )
    samples = [list(range(len(cells))), *([n for part in draw for n in part] for draw in draws)]
    y = _ranks([cell.usd for cell in cells])
    found: dict[tuple[str, str, str], float | None] = {}
    for measure in MEASURES:
        of = {}
        for model in ("levels", *NULLS):
            x = [getattr(cell, model) for cell in cells]
            share, ranks = _top_tenth(x), _ranks(x)
            of[model] = [
                _correlation([ranks[n] for n in s], [y[n] for n in s], len(cells)) if measure == "rank_correlation"
                else ratio(math.fsum(share[n] * cells[n].usd for n in s), math.fsum(cells[n].usd for n in s))
                for s in samples
            ]  # fmt: skip
            found[measure, model, ""] = of[model][0]
            found[measure, model, "_low"], found[measure, model, "_high"] = _interval(of[model][1:])
            leads = [None if a is None or b is None else a - b for a, b in zip(of["levels"], of[model], strict=True)]
            found[measure, model, "lead_low"], _ = _interval(leads[1:])
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
