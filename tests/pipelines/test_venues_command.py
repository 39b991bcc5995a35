"""`liq venues`: the matrix of venues and data, and the README's table, which is generated from it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import liq
from collectors import topics
from collectors.matrix import KINDS, matrix, pushed_channels
from collectors.venues.known import RECORDS
from pipelines.commands.venues import BEGIN, END, markdown, rows

ROOT = Path(__file__).parents[2]
BY_A_NODE = {"hyperliquid"}
"""Those whose liquidations are covered where the operator has a node of the venue."""


def test_each_venue_has_a_row_for_each_kind_of_data() -> None:
    found = rows(matrix())
    assert [(row.venue, row.data) for row in found] == [(name, kind) for name in RECORDS for kind in KINDS]
    uncovered = {row.venue for row in found if row.data == "liquidations" and row.completeness in ("-", "not covered")}
    assert uncovered == {name for name, record in RECORDS.items() if "liquidations" not in record.collects} | BY_A_NODE


@pytest.mark.parametrize("name", RECORDS)
def test_the_channels_that_bring_a_kind_of_data_are_subscribed_or_polled_and_none_of_liquidations_is_left_out(
    name: str,
) -> None:
    record = RECORDS[name]
    collected = {channel for channels in record.collects.values() for channel in channels}
    polls = record.venue().polls
    followed = {channel for name in BY_A_NODE & {record.name} for channel in record.collects["liquidations"]}
    assert collected <= pushed_channels(record) | {poll.channel for poll in polls} | followed
    polled = {poll.channel for poll in polls if poll.topic == topics.LIQUIDATION}
    assert polled <= set(record.collects.get("liquidations", ()))


def test_what_a_venue_does_not_bring_is_named_as_such() -> None:
    found = {(row.venue, row.data): row for row in rows(matrix())}
    assert found["htx", "mark"].live == "-"
    assert found["htx", "liquidations"][4:] == ("all", "documented", "its first day")
    assert found["bitget", "liquidations"][4:] == ("one_per_second_largest", "documented", "2026-04-28")
    assert found["bybit", "liquidations"].completeness == "all", (
        "of the channel that is collected, not of the retired one"
    )
    assert found["okx", "open interest"].history == "1,440 bars"
    assert found["bitget", "mark"].live == "polled each 20 s", "a pulse is one contract's and does not count"


def test_a_node_of_the_operators_makes_its_venue_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_HYPERLIQUID_NODE", str(tmp_path))
    found = {(row.venue, row.data): row for row in rows(matrix())}
    assert found["hyperliquid", "liquidations"][2:6] == ("followed", "-", "all", "documented")


def test_the_readmes_table_is_the_commands() -> None:
    table = (ROOT / "README.md").read_text().split(BEGIN)[1].split(END)[0].strip()
    assert table == markdown(rows(matrix())).strip(), "liq venues --update README.md"


def test_the_command_prints_a_line_for_each() -> None:
    done = CliRunner().invoke(liq.composed("venues"), ["venues"])
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) == 1 + len(RECORDS) * len(KINDS)
