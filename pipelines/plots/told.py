"""What a picture says in words beside what it draws."""

from datetime import datetime, timedelta
from typing import NamedTuple


class Score(NamedTuple):
    """How the coin's estimated levels did in their newest back-test (view levels_score); None: not known."""

    verdict: str
    since: datetime
    until: datetime
    rank_correlation: float | None
    rank_correlation_untouched: float | None
    top_decile_mass: float | None
    top_decile_mass_untouched: float | None
    top_decile_mass_uniform: float | None

    def __str__(self) -> str:
        nulls = f"untouched {_share(self.top_decile_mass_untouched)}, uniform {_share(self.top_decile_mass_uniform)}"
        return (
            f"Score {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}: {self.verdict}. Rank correlation "
            f"{_number(self.rank_correlation)} (untouched {_number(self.rank_correlation_untouched)}); the top tenth of the "
            f"bins took {_share(self.top_decile_mass)} of what was liquidated ({nulls})"
        )


SHORT = timedelta(minutes=10)


class Told(NamedTuple):
    """The words of a picture: of what (a coin, an instrument), [since, until) in UTC, source venues, what is missing."""

    subject: str
    since: datetime
    until: datetime
    venues: str
    notes: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The time shown, as text."""
        if self.since == self.until:
            return f"as of {self.since:%Y-%m-%d %H:%M} UTC"
        if self.until - self.since < SHORT:
            return f"{self.since:%Y-%m-%d %H:%M:%S} to {self.until:%H:%M:%S} UTC"
        if self.since.date() == self.until.date():
            return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%H:%M} UTC"
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


NOT_SCORED = "Not scored yet: whether such maps of this coin come true is not known (liq levels backtest)"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0%}"
