"""One judged thing of `liq status`."""

from datetime import timedelta
from typing import Literal, NamedTuple

State = Literal["good", "needs you", "unknown"]


class Check(NamedTuple):
    """`subject`: what was looked at, in a word or two. `said`: what was found, one line. `mend`: what to do about it.

    `age_s`: how old the newest of it is, seconds; `within_s`: how old it may be; `number`: how many of it there are. None where
    that has no meaning.
    State unknown: it could not be looked at, which is not the same as good.
    """

    subject: str
    state: State
    said: str
    mend: str = ""
    age_s: float | None = None
    within_s: float | None = None
    number: int | None = None


def good(subject: str, said: str) -> Check:
    """Return that nothing is wrong with it."""
    return Check(subject, "good", said)


def bad(subject: str, said: str, mend: str) -> Check:
    """Return that somebody must do something, and what."""
    return Check(subject, "needs you", said, mend)


def unknown(subject: str, why: str, mend: str = "") -> Check:
    """Return that it could not be looked at, and why."""
    return Check(subject, "unknown", why, mend)


def aged(subject: str, said: str, age_s: float, within_s: float, mend: str) -> Check:
    """Return good where it is no older than it may be. `said`: what the age is of."""
    late = age_s > within_s
    line = f"{said} {span(age_s)} ago" + (f", expected within {span(within_s)}" if late else "")
    return Check(subject, "needs you" if late else "good", line, mend if late else "", age_s, within_s)


def span(seconds: float) -> str:
    """Return a time in words: 4.2 s, 2 min 5 s, 3 h 10 min, 4 days 2 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.seconds, 3600)
    minutes, left = divmod(rest, 60)
    if whole.days:
        return f"{whole.days} day{'s' if whole.days > 1 else ''} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"
