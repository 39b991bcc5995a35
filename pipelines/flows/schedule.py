"""How often each scheduled flow runs, by the name of its deployment. No Prefect here: `liq status` reads it too."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipelines.errors import UsageError

EVERY = {
    "refresh": timedelta(minutes=1),
    "maintain": timedelta(minutes=2),
    "estimate_levels": timedelta(minutes=5),
    "find_signals": timedelta(minutes=5),
    "audit": timedelta(hours=1),
    "backtest_levels": timedelta(days=1),
    "detect_cascades_again": timedelta(days=1),  # with what came late
}
BY_HAND = (
    "refresh", "maintain", "estimate_levels", "find_signals", "audit", "backtest_levels", "detect_cascades",
    "coverage", "rollup", "estimate_levels_if_moved",
)  # fmt: skip
"""The flows that `liq flows run` runs once: each that is scheduled, and the steps of `refresh`."""
LATE_AFTER = 3
"""A flow that has not succeeded for so many of its intervals needs somebody."""
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_APART = timedelta(seconds=7)


def only_known(names: Sequence[str]) -> None:
    """Raise UsageError where one of `names` is none of BY_HAND."""
    if unknown := [name for name in names if name not in BY_HAND]:
        raise UsageError(f"no flow {', '.join(unknown)}; known: {', '.join(BY_HAND)}")


def anchor(name: str) -> datetime:
    """Return the instant that a flow's runs are counted from: always the same, so that a restart does not put them off.

    Each flow has its own, some seconds from the others', so that they do not all begin at once.
    """
    return _BEGAN + list(EVERY).index(name) * _APART
