"""What is wrong with what a command said, to the eyes of a new user. Pure."""

from collections.abc import Iterable

from tests.walk.trying import Tried
from tests.walk.ways import Way

ENDED_BY_CTRL_C = (0, 130)
NOTE = "liq: reading data/demo, as there is no data/live yet; LIQ_DATA chooses another"


def complaints(way: Way, tried: Tried, elsewhere: str) -> Iterable[str]:
    """Yield each fault. `elsewhere`: a world that the command has no business in."""
    whole = tried.said + tried.errors
    allowed = ENDED_BY_CTRL_C if way.until else way.code
    if tried.code not in allowed:
        yield f"ended with {tried.code}"
    if "Traceback (most recent call last)" in whole:
        yield "a traceback"
    if not whole.strip():
        yield "says nothing"
    if "\n0 rows" in f"\n{tried.said}" and not way.may_be_empty:
        yield "has nothing to show"
    for sign in filter(None, (way.says, way.until)):
        if sign not in whole:
            yield f"does not say {sign!r}"
    if tried.command.startswith("liq sql ") and NOTE not in tried.errors:
        yield "does not say which world it read"
    if elsewhere in whole.replace(NOTE, ""):
        yield f"speaks of {elsewhere}"
