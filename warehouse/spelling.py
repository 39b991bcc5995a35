"""Which known name a user means, in any case and any venue's spelling; or which known names are similar."""

import difflib
from collections.abc import Collection, Mapping

from warehouse.errors import UnknownNameError

NEAR, SHOWN = 3, 12
LIKE, LONG, LIKE_LONG = 0.6, 8, 0.9
"""How alike a name is that may be meant; names of more than 8 letters are alike by what they end with."""


def resolve(given: str, known: Collection[str], what: str, others: Mapping[str, Collection[str]] | None = None) -> str:
    """Return the one of `known` that is meant: as given, in another case, or without what stands between its letters.

    `others`: spellings that stand for names of `known`. Raises UnknownNameError with those that may be meant, else with the
    nearest names, else with those there are.
    """
    if given in known:
        return given
    spelled: dict[str, set[str]] = {}
    for name in known:
        spelled.setdefault(plain(name), set()).add(name)
    for name, meant in (others or {}).items():
        spelled.setdefault(plain(name), set()).update(meant)
    found = sorted(spelled.get(plain(given), ()))
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownNameError(f"{given!r} may be several: {_listed(found)}")
    raise UnknownNameError(f"no {what} {given!r}; {_hint(given, known, spelled)}")


def _hint(given: str, known: Collection[str], spelled: Mapping[str, Collection[str]]) -> str:
    near = difflib.get_close_matches(plain(given), spelled, NEAR, LIKE_LONG if len(given) > LONG else LIKE)
    if meant := list(dict.fromkeys(name for each in near for name in sorted(spelled[each])))[:NEAR]:
        return f"did you mean {' or '.join(meant)}?"
    listed = list(known)
    return f"known: {', '.join(listed)}" if len(known) <= SHOWN else f"known: {', '.join(listed[:SHOWN])}, …"


def plain(name: str) -> str:
    """Return the letters and digits of a name, large."""
    return "".join(letter for letter in name if letter.isalnum()).upper()


def venue(given: str, known: Collection[str]) -> str:
    """Return the venue that is meant. Raises UnknownNameError."""
    return resolve(given, known, "venue")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
