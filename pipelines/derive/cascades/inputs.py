"""Whether the bars that say what is normal are there: without them another floor counts, and other cascades are found."""

from datetime import datetime, timedelta

from pipelines.derive.cascades.rules import Rule
from pipelines.errors import UsageError
from warehouse.lake import Lake
from warehouse.rollups import unrolled

HOUR = timedelta(hours=1)
PENDING = """
SELECT count(*) FROM rollup_pending
WHERE bars = 'liquidations' AND since IS NOT NULL AND since < $until AND until > $since
"""


def ready(warehouse: Lake, since: datetime, until: datetime, rule: Rule) -> bool:
    """Tell whether no minute is pending of those that the normal minutes of [since, until) are made from.

    Raises UsageError, which names the command, where bars of liquidations were never made though there are liquidations.
    """
    if "liquidations" in unrolled(warehouse):
        raise UsageError("what is normal is not known before bars are made; first run: liq rollup")
    first = since.replace(minute=0, second=0, microsecond=0) - HOUR - timedelta(days=rule.normal_days)
    row = warehouse.connection.execute(PENDING, {"since": first, "until": until - HOUR}).fetchone()
    return row is None or not row[0]


def require(warehouse: Lake, since: datetime, until: datetime, rule: Rule) -> None:
    """Raise UsageError, which names the command, unless all bars are there that cascades in [since, until) depend on."""
    if not ready(warehouse, since, until, rule):
        raise UsageError("liquidations came in that the bars do not have yet, so what is normal is not known; first run: "
                         "liq rollup")  # fmt: skip
