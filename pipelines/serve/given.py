"""What stands in a request's query, looked at once for every path: known names, each once, no NUL."""

from collections.abc import Collection, Iterable
from http import HTTPStatus

from pipelines.serve.problems import ProblemError
from warehouse.errors import UnknownNameError
from warehouse.spelling import resolve

LONGEST = 200


def only(given: Iterable[tuple[str, object]], known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name. Raises ProblemError (400) for one that is not known, comes twice, or is no text."""
    query: dict[str, str] = {}
    for name, value in given:
        if name not in known:
            raise bad(f"no parameter {short(name)!r} here; {near(name, sorted(known))}")
        if name in query:
            raise bad(f"{name} is given twice; several values are separated by commas")
        if not isinstance(value, str) or "\0" in value:
            raise bad(f"{name} is a text without a NUL")
        query[name] = value
    return query


def near(name: str, known: list[str]) -> str:
    """Return which name may be meant, or which there are."""
    if not known:
        return "none is taken"
    try:
        return f"did you mean {resolve(name, known, 'name')}?"
    except UnknownNameError as error:
        return str(error).partition("; ")[2]


def short(text: str) -> str:
    """Return a text for a message, cut where it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def bad(detail: str) -> ProblemError:
    """Return the problem of a request that cannot be answered."""
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
