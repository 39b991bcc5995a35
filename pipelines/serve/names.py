"""Which coin, contract or venue is meant in a query: in any case, and in a venue's own spelling."""

import time

from pipelines.serve.asked import Meant
from warehouse import names, spelling
from warehouse.asked import ABOUT, ANY
from warehouse.lake import Lake

KEPT_S = 60.0


class Names:
    """Keeps what the venues list for a minute."""

    def __init__(self) -> None:
        self._kept: tuple[float, list[names.Contract]] = -KEPT_S, []

    def of(self, lake: Lake) -> Meant:
        """Return what tells the name that is meant; that raises UnknownNameError for a name of nothing here."""

        def meant(column: str, given: str) -> str:
            about = ABOUT.get(column)
            if about is None or given in (ANY, ""):
                return given
            listed = self._listed(lake)
            if about == "venue":
                return spelling.venue(given, sorted({each.venue for each in listed}) or [given])
            return (names.coin if about == "base" else names.instrument)(lake, given, listed)

        return meant

    def _listed(self, lake: Lake) -> list[names.Contract]:
        asked, listed = self._kept
        if time.monotonic() - asked > KEPT_S:
            listed = names.contracts(lake)
            self._kept = time.monotonic(), listed
        return listed
