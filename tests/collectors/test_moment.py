"""A moment, said again by a wall clock that may have been set since."""

import time

import pytest

from collectors import moment


def test_a_moment_is_what_the_clock_said() -> None:
    one = moment.now()
    assert one.by_the_wall_clock_of_now() == one.wall_ns


@pytest.mark.parametrize("set_by_ns", [-3600 * 10**9, 2 * 10**9])
def test_a_moment_before_the_clock_was_set_is_said_by_the_clock_of_now(
    monkeypatch: pytest.MonkeyPatch, set_by_ns: int
) -> None:
    one, real = moment.now(), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + set_by_ns)
    assert abs(one.by_the_wall_clock_of_now() - one.wall_ns - set_by_ns) < 10**9


def test_the_steady_clock_goes_on_and_the_boot_keeps_its_name() -> None:
    first = moment.steady_ns()
    assert moment.steady_ns() >= first
    assert moment.boot() == moment.boot() != ""
