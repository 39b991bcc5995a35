"""Which coin and venue are shown, and what each key changes. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from warehouse.names import CALLED
from warehouse.spelling import plain

ENTER, ESCAPE, BACK = ("\r", "\n"), "\x1b", ("\x7f", "\b")
LONGEST = 20


LEAST = (0.0, 1e4, 1e5, 1e6)
"""The list of the last liquidations has those of so many USD or more."""


class Choice(NamedTuple):
    """`base`, `venue`: None shows all. `least`: USD, one of LEAST. `typed`: the coin being typed, None where nobody types.
    `ended`: q was pressed."""

    base: str | None = None
    venue: str | None = None
    typed: str | None = None
    ended: bool = False
    least: float = 0.0

    @property
    def asked(self) -> tuple[str | None, str | None, float]:
        """What is read anew where it changes: coin, venue, least USD."""
        return self.base, self.venue, self.least

    def keeps(self, base: str | None, venue: str) -> bool:
        """Tell whether a row of this coin and venue is shown."""
        return self.base in (None, base) and self.venue in (None, venue)

    def after(self, key: str, coins: Sequence[str], venues: Sequence[str]) -> "Choice":
        """Return the choice after a key.

        c, v: the next coin, venue (C, V: the one before); t, T: more, fewer USD; / types a coin; a: all; q ends.
        """
        if self.typed is not None:
            return self._typing(key, self.typed, coins)
        match key:
            case "q":
                return self._replace(ended=True)
            case "a" | "\x1b":
                return Choice()
            case "c" | "C":
                return self._replace(base=_next(self.base, coins, key == "c"))
            case "v" | "V":
                return self._replace(venue=_next(self.venue, venues, key == "v"))
            case "t" | "T":
                step = 1 if key == "t" else -1
                return self._replace(least=LEAST[(LEAST.index(self.least) + step) % len(LEAST)])
            case "/":
                return self._replace(typed="")
        return self

    def _typing(self, key: str, typed: str, coins: Sequence[str]) -> "Choice":
        if key == ESCAPE:
            return self._replace(typed=None)
        if key in ENTER:
            return self._replace(base=meant(typed, coins) if typed else None, typed=None)
        if key in BACK:
            return self._replace(typed=typed[:-1])
        return self._replace(typed=(typed + key.upper())[:LONGEST]) if key.isalnum() else self


def meant(typed: str, coins: Sequence[str]) -> str:
    """Return the coin that is called so (XBT and BITCOIN are BTC), else the first that begins so, else what was typed."""
    wanted = typed.upper()
    named = {plain(name): called for name, called in CALLED.items()} | {coin.upper(): coin for coin in coins}
    return named.get(wanted) or next((coin for coin in coins if coin.upper().startswith(wanted)), wanted)


def _next(now: str | None, among: Sequence[str], forward: bool) -> str | None:
    """Return the one after (or before) `now` in the ring of all and `among`."""
    ring = [None, *among]
    at = ring.index(now) if now in ring else 0
    return ring[(at + (1 if forward else -1)) % len(ring)]
