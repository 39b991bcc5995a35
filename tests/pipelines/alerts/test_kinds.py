"""Each kind of rule finds what it is for, and nothing else."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.alerts.found import Found, Seen
from pipelines.alerts.kinds import KINDS
from pipelines.alerts.outbox import Outbox
from pipelines.alerts.rules import read
from tests.pipelines.alerts.conftest import NOW, Heard, once, write
from warehouse import lake


def test_a_cascade_and_a_signal_are_told_once_each(world: Path, heard: Heard) -> None:
    write(world, heard, 'name = "c"\nkind = "cascade"\nbase = ["BTC"]\nmin_usd = 1e6', 'name = "s"\nkind = "signal"')
    outbox = Outbox(world)
    for rule in read(world / "alerts.toml").rules:
        outbox.standing(rule, NOW - timedelta(hours=1))  # they have looked since then
    outbox.close()
    assert once(world) == 2
    told = [json.loads(body)["title"] for _, body in heard.got]
    assert told == ["BTC: a cascade of $5M, longs", "BTC: washout_long of longs, price expected up"]
    assert once(world) == 0


def test_what_happened_before_a_rule_was_made_is_not_told(world: Path, heard: Heard) -> None:
    write(world, heard, 'name = "c"\nkind = "cascade"')
    assert [once(world), heard.got] == [0, []]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_look_at_a_world_without_rows(made: Path, kind: str) -> None:
    more = {"query": "SELECT 1 AS one"} if kind == "sql" else {}
    rule = KINDS[kind].model_validate({"name": "x", "kind": kind, **more})
    with lake.open(made) as opened:
        assert all(isinstance(each, Found) for each in rule.find(Seen(made, opened, NOW, NOW - timedelta(minutes=1))))


def test_funding_total_silent_and_gap_are_found(world: Path) -> None:
    """Each finds the rows of its view that are beyond its limit, and no other."""
    when = f"TIMESTAMP {str(NOW)!r}"
    given = {
        "funding_oi_weighted": """SELECT *, 'okx' AS venues
            FROM (VALUES ('BTC', -0.002, -2.19), ('ETH', 0.0001, 0.1)) AS t(base, rate_8h, rate_year)""",
        "liquidation_imbalance": """SELECT *, 7 AS days, 0.9 AS long_share, 1.0 AS usd_percentile, 'okx' AS venues,
                true AS lower_bound, 168 AS hours
            FROM (VALUES ('BTC', 2e6, 1e5), ('ETH', 2e6, 1e6)) AS t(base, usd, mean_usd)""",
        "feed_states": f"""SELECT 'okx' AS venue, 'liquidation-orders' AS channel, state, {when} AS since, 'x' AS reason
            FROM (VALUES ('SILENT'), ('LIVE')) AS t(state)""",
        "feed_gaps": f"""SELECT 'okx' AS venue, 'c' AS channel, 'ws' AS transport, {when} AS start, {when} AS "end",
                missing_s, 'x' AS reason, false AS repaired, false AS ongoing
            FROM (VALUES (5.0), (90.0)) AS t(missing_s)""",
    }
    with lake.open(world, unlocked=True) as opened:
        connection = opened.connection
        for name, sql in given.items():
            connection.execute(f"CREATE TEMP VIEW {name} AS {sql}")
        seen = Seen(world, opened, NOW, NOW - timedelta(hours=1))
        found = {
            kind: [each.title for each in KINDS[kind].model_validate({"name": "x", "kind": kind}).find(seen)]
            for kind in ("funding", "total", "silent", "gap")
        }
    assert found == {
        "funding": ["BTC: shorts pay 0.200% per eight hours"],
        "total": ["BTC: at least $2M liquidated in an hour"],
        "silent": [f"okx: liquidation-orders is SILENT since {NOW.isoformat()}Z"],
        "gap": [f"okx: c was not heard for 90 s from {NOW.isoformat()}Z on"],
    }
