"""What happens is delivered once, at least once across restarts, and is a row."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.alerts import rounds
from pipelines.alerts.deliver import pause_s, signature
from pipelines.alerts.kinds import Rule
from pipelines.alerts.outbox import FAILS, Outbox
from tests.pipelines.alerts.conftest import NOW, SECRET, Heard, liq, once, sql_rule, wait_over, write
from warehouse.query import query


def test_what_is_told_is_signed_and_becomes_a_row(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 'BTC' AS base, 7 AS n"))
    assert once(world) == 1
    headers, body = heard.got[0]
    assert headers["Liq-Signature"] == signature(SECRET, headers["Liq-Timestamp"], body)
    told = json.loads(body)
    assert (told["rule"], told["row"], headers["Liq-Alert"]) == ("mine", {"base": "BTC", "n": 7}, told["id"])
    row = query("FROM alerts", world).to_dicts()[0]
    assert (row["alert_id"], row["delivered_to"], row["tries"], row["given_up_to"]) == (told["id"], "hook", 1, "")
    assert json.loads(row["details"]) == told["row"]


def test_apprise_delivers_to_its_addresses(world: Path, heard: Heard) -> None:
    rule = sql_rule("SELECT 1 AS one")
    (world / "alerts.toml").write_text(f'[deliver.me]\nurl = "json://{heard.url}/"\n[[rule]]\n{rule}\n')
    once(world)
    assert json.loads(heard.got[0][1])["title"] == "mine: one 1"


def test_the_same_is_told_once_and_again_after_its_time(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one", 'again = "1h"'))
    assert [once(world), once(world), len(heard.got)] == [1, 0, 1]
    outbox = Outbox(world)
    with outbox._file:
        outbox._file.execute("UPDATE raised SET at = at - 3601")
    outbox.close()
    assert [once(world), len(heard.got)] == [1, 2]
    assert len(query("FROM alerts", world)) == 2


def test_what_did_not_arrive_is_tried_again_after_a_restart_with_the_same_id(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one"))
    heard.codes.extend([500, 503])
    once(world)
    assert query("SELECT count(*) FROM alerts", world).item() == 0
    once(world)
    assert len(heard.got) == 1  # the pause is not over
    for _ in range(2):
        wait_over(world)
        once(world)
    assert [len(heard.got), len({headers["Liq-Alert"] for headers, _ in heard.got})] == [3, 1]
    assert query("SELECT tries FROM alerts", world).item() == 3
    assert [pause_s(tries) for tries in (1, 2, 3, 20)] == [5, 15, 45, 3600]


def test_one_that_is_killed_before_it_has_told_tells_after_its_restart(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one"))
    script = """
import os, signal, sys
from pathlib import Path
from pipelines.alerts import rounds
from pipelines.alerts.outbox import Outbox
from pipelines.alerts.rules import read
rounds.send = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
world = Path(sys.argv[1])
rounds.one_round(world, read(world / "alerts.toml"), Outbox(world))
"""
    assert subprocess.run([sys.executable, "-c", script, str(world)], env=os.environ).returncode == -signal.SIGKILL
    assert heard.got == []
    assert once(world) == 0  # it was found already
    assert len(heard.got) == 1


def test_given_up_after_a_day_and_still_a_row(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one"))
    heard.codes.extend([500, 500])
    once(world)
    outbox = Outbox(world)
    with outbox._file:
        outbox._file.execute("UPDATE alerts SET ts = ?", [(NOW - timedelta(hours=25)).isoformat()])
    outbox.close()
    wait_over(world)
    once(world)
    row = query("FROM alerts", world).to_dicts()[0]
    assert (row["delivered_to"], row["given_up_to"], row["ts_delivered"]) == ("", "hook", None)


def test_in_quiet_hours_nothing_is_told_until_they_end(world: Path, heard: Heard) -> None:
    begin, end = NOW - timedelta(minutes=5), NOW + timedelta(minutes=30)
    write(world, heard, sql_rule("SELECT 1 AS one", f'quiet = "{begin:%H:%M}-{end:%H:%M}"'))
    assert [once(world), heard.got] == [1, []]
    wait_over(world)
    once(world)
    assert len(heard.got) == 1


def test_quiet_hours_may_go_over_midnight() -> None:
    rule = Rule(name="x", kind="sql", quiet="22:00-07:30")
    day = datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None)
    ends = {hour: rounds.quiet_until(rule, day + timedelta(hours=hour)) for hour in (6, 8, 21, 23)}
    until = [(day + timedelta(days=days, hours=7.5)).replace(tzinfo=UTC).timestamp() for days in (0, 1)]
    assert ends == {6: until[0], 8: 0, 21: 0, 23: until[1]}


def test_a_rule_that_fails_twenty_times_is_switched_off_and_says_so(world: Path, heard: Heard) -> None:
    path = write(world, heard, sql_rule("FROM nothing"), sql_rule("SELECT 1 AS one", name="other"))
    once(world)
    outbox = Outbox(world)
    with outbox._file:
        outbox._file.execute("UPDATE rules SET fails = ? WHERE name = 'mine'", [FAILS - 2])
    outbox.close()
    for _ in range(2):
        assert "mine: sql, to hook, failed" in liq("list").output
        wait_over(world)
        once(world)
    assert [json.loads(body)["rule"] for _, body in heard.got] == ["other", "mine"]
    assert "is switched off" in json.loads(heard.got[1][1])["title"]
    assert "mine: sql, to hook, OFF" in liq("list").output
    wait_over(world)
    once(world)
    assert len(heard.got) == 2
    path.write_text(path.read_text().replace("FROM nothing", "SELECT 2 AS two"))
    once(world)
    assert json.loads(heard.got[2][1])["row"] == {"two": 2}


def test_a_lake_that_is_gone_is_no_fault_of_a_rule(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one"), 'name = "state"\nkind = "status"')
    (world / "lake").rename(world / "away")
    once(world)
    assert "warehouse" in {json.loads(body)["row"]["subject"] for _, body in heard.got}
    assert "mine: sql, to hook, on" in liq("list").output
    (world / "away").rename(world / "lake")
    once(world)
    assert query("SELECT count(*) FROM alerts WHERE rule IN ('mine', 'state')", world).item() >= 2
