"""`liq alerts`: what is wrong in a rule is said; check, test and run."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.alerts.rules import Rules, read
from pipelines.errors import UsageError
from tests.pipelines.alerts.conftest import SECRET, Heard, liq, once, sql_rule, until, write
from warehouse.query import query


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('name = "a"\nkind = "cascad"', "did you mean cascade?"),
        ('name = "a"\nkind = "cascade"\nmin_us = 5', "did you mean min_usd?"),
        ('name = "a"\nkind = "cascade"\nto = ["hok"]', "did you mean hook?"),
        ('name = "a"\nkind = "cascade"\nagain = "soon"', "say 30s, 15m, 2h or 1d"),
        ('name = "a"\nkind = "cascade"\nquiet = "22-7"', "quiet"),
        ('name = "a"\nkind = "sql"\nquery = " "', "query is empty"),
        ('name = "a"\nkind = "silent"\nvenue = ["okxx"]', "did you mean okx?"),
        ('name = "a"\nkind = "cascade"\nbase = ["BTCC"]', "did you mean BTC?"),
        ('name = "a"\nkind = "cascade"\nbase = ["btc"]', "spell 'btc' as BTC"),
        ('name = "a"\nkind = "signal"\nsignals = ["nothing_like_it"]', "no signal 'nothing_like_it'"),
        ('name = "a"\nkind = "status"\nchecks = ["disc"]', "did you mean disk?"),
        ('name = "a"\nkind = "lag"\n[[rule]]\nname = "a"\nkind = "lag"', "is there twice"),
        ('name = "a"\nkind = "lag"\n[deliver.x]\nurl = "nothing"', "url is none that apprise knows"),
        ('name = "a"\nkind = "lag"\n[deliver.x]\nurl = "$NO_SUCH"', "$NO_SUCH is not set"),
        ('name = "a"\nkind = "lag"\n[deliver.x]\nwebhook = "https://x"\nsecret = "short"', "at least 16 letters"),
        ('name = "a"\nkind = "lag"\n[delivr.x]\nurl = "json://x"', "did you mean deliver?"),
        ('name = "a', "alerts.toml"),
    ],
)
def test_what_is_wrong_in_the_rules_is_said_with_the_nearest_name(
    world: Path, heard: Heard, rule: str, said: str
) -> None:
    write(world, heard, rule)
    done = liq("check")
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert SECRET not in done.output


def test_check_says_what_would_be_told_and_delivers_nothing(world: Path, heard: Heard) -> None:
    write(world, heard, 'name = "c"\nkind = "cascade"', sql_rule("FROM nothing"))
    done = liq("check")
    assert done.exit_code == 1
    assert "c: finds 1 now, such as: BTC: a cascade of $5M, longs" in done.output
    assert "mine: fails: " in done.output
    assert heard.got == []


def test_a_test_alert_reaches_each_destination_or_says_which_it_does_not(world: Path, heard: Heard) -> None:
    path = write(world, heard, 'name = "c"\nkind = "cascade"')
    path.write_text('[deliver.gone]\nwebhook = "http://127.0.0.1:1/"\nsecret = "0123456789abcdef"\n' + path.read_text())
    assert liq("test", "hook").output == "hook: delivered\n"
    done = liq("test")
    assert (done.exit_code, done.output) == (1, "gone: ConnectError\nhook: delivered\n")
    assert liq("test", "hok").exit_code == 2


def test_without_a_file_of_rules_it_says_where_it_looks(world: Path) -> None:
    done = liq("run")
    assert done.exit_code == 2
    assert re.search(r"there is no .*alerts\.toml; LIQ_ALERTS_RULES names another", done.stderr)
    with pytest.raises(UsageError):
        read(world / "alerts.toml")


def test_the_command_runs_until_it_is_told_to_stop_and_runs_once_to_a_world(world: Path, heard: Heard) -> None:
    write(world, heard, sql_rule("SELECT 1 AS one"))
    command = [sys.executable, "-m", "liq", "alerts", "run"]
    env = {**os.environ, "LIQ_ALERTS_EVERY_S": "0.2"}
    running = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: bool(heard.got))
        assert "runs in" in liq("run", "--once").stderr
    finally:
        running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0


def test_a_coin_that_is_not_known_yet_keeps_the_other_rules_from_nothing(world: Path, heard: Heard) -> None:
    write(world, heard, 'name = "c"\nkind = "cascade"\nbase = ["NEWCOIN"]', sql_rule("SELECT 1 AS one"))
    done = liq("run", "--once")
    assert (done.exit_code, "1 alerts found" in done.output, len(heard.got)) == (0, True, 1)
    assert liq("check").exit_code == 2


def test_rules_without_a_destination_are_rows_alone(world: Path) -> None:
    (world / "alerts.toml").write_text(f"[[rule]]\n{sql_rule('SELECT 1 AS one')}\n")
    assert once(world) == 1
    assert query("SELECT delivered_to, tries FROM alerts", world).rows() == [("", 0)]
    assert isinstance(read(world / "alerts.toml"), Rules)
