"""When something happened, by two clocks of this machine: the wall's, which anybody may set, and one that only goes on."""

import secrets
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

SET_NS = 1_000_000_000
"""The wall clock was set, if it went on by so much more or less than the other."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """UTC nanoseconds since 1970 by the wall clock, and nanoseconds since the machine's start by the steady one."""

    wall_ns: int
    steady_ns: int

    def by_the_wall_clock_of_now(self) -> int:
        """Return when it was, UTC nanoseconds, by the wall clock as it goes now; it may have been set since."""
        then = time.time_ns() - (steady_ns() - self.steady_ns)
        return then if abs(then - self.wall_ns) > SET_NS else self.wall_ns


def now() -> Moment:
    """Return this moment."""
    return Moment(time.time_ns(), steady_ns())


def steady_ns() -> int:
    """Return nanoseconds by a clock that nobody sets; all processes of a boot have the same one where the system has it."""
    return time.clock_gettime_ns(_STEADY)


@cache
def boot() -> str:
    """Return the name of the time in which the steady clock goes on: the machine's boot, else this process alone."""
    try:
        return _BOOT.read_text().strip()[:8]
    except OSError:
        return secrets.token_hex(4)
