"""One thing that was looked at, and what was found: what the checks of `liq doctor` return."""

from typing import Literal, NamedTuple

State = Literal["good", "warning", "broken"]


class Finding(NamedTuple):
    """`subject`: what was looked at, in a word or two. `state`: good, worse than it should be, or broken.

    `said`: what was found, in a line. `mend`: what a person can do about it; empty where it is good.
    """

    subject: str
    state: State
    said: str
    mend: str = ""
