"""The branching ratio: right where the model is true, not shown where it is not."""

import math
import random

import pytest

from pipelines.derive.cascades.branching import fit, residuals
from pipelines.derive.cascades.estimate import judged
from pipelines.derive.cascades.rules import RULE

LENGTH = 610.0


def hawkes(seed: int, background: float, ratio: float, decay: float, length: float = LENGTH) -> list[float]:
    """Times of a Hawkes process, by thinning."""
    seeded, now, excited, times = random.Random(seed), 0.0, 0.0, []
    while True:
        most = background + excited
        wait = seeded.expovariate(most)
        now, excited = now + wait, excited * math.exp(-decay * wait)
        if now > length:
            return times
        if seeded.random() * most < background + excited:
            times.append(now)
            excited += ratio * decay


@pytest.mark.parametrize("ratio", [0.3, 0.6, 0.8])
def test_the_ratio_of_a_process_that_branches_is_found(ratio: float) -> None:
    found = [fit(hawkes(seed, 0.5, ratio, 4.0), LENGTH) for seed in range(5)]
    assert sum(one.branching_ratio for one in found) / 5 == pytest.approx(ratio, abs=0.07)
    assert all(one.ks <= RULE.branching_ks_limit for one in found)
    shown = [judged(hawkes(seed, 0.5, ratio, 4.0), LENGTH, RULE) for seed in range(5)]
    assert all(
        reason is None and shown_ratio == one.branching_ratio
        for (shown_ratio, _, reason), one in zip(shown, found, strict=True)
    )


def test_residuals_of_the_true_model_are_unit_exponential() -> None:
    intervals = residuals(hawkes(1, 1.0, 0.7, 3.0, 5000), 1.0, 0.7, 3.0)
    assert sum(intervals) / len(intervals) == pytest.approx(1, abs=0.03)
    assert sum(one > 1 for one in intervals) / len(intervals) == pytest.approx(math.exp(-1), abs=0.02)


def burst(seed: int) -> list[float]:
    seeded = random.Random(seed)
    times = [300 + seeded.triangular(0, 10, 3.3) for _ in range(300)] + [seeded.uniform(0, LENGTH) for _ in range(20)]
    return sorted(times)


@pytest.mark.parametrize("seed", range(4))
def test_a_burst_set_off_from_outside_gets_no_ratio_though_its_residuals_pass(seed: int) -> None:
    assert fit(burst(seed), LENGTH).branching_ratio > 0.9, "what the fit alone would claim"
    ratio, ks, reason = judged(burst(seed), LENGTH, RULE)
    assert ratio is None
    assert ks is not None
    assert ks <= RULE.branching_ks_limit
    assert reason is not None
    assert "changes with time" in reason


def test_a_clockwork_fails_its_residuals() -> None:
    ratio, ks, reason = judged([number + 0.5 for number in range(600)], LENGTH, RULE)
    assert (ratio, reason) == (None, "the residuals of the fit are not those of the model")
    assert ks is not None
    assert ks > RULE.branching_ks_limit
