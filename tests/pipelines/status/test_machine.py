"""Clocks, disks, the spool, the parts of `liq up`, Prefect, the flows, and the whole look."""

import json
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from liq import app
from pipelines.flows import notes
from pipelines.flows.schedule import EVERY
from pipelines.ingest.alone import alone
from pipelines.status import machine, parts
from pipelines.status.check import good
from pipelines.status.look import look, made
from pipelines.status.seen import Seen
from pipelines.up import board
from tests.pipelines.heard import at, commit
from tests.pipelines.status.looked import AWAY, alive, only, seen, started
from warehouse.lake import Lake


def test_a_clock_over_a_second_off_needs_somebody_and_one_that_nobody_told_is_unknown(warehouse: Lake) -> None:
    assert only(list(machine.clocks(seen(warehouse, 0)))).state == "unknown"
    started(warehouse)
    assert only(list(machine.clocks(seen(warehouse, 1)))).said == "no collector has reported its clock"
    alive(warehouse, 2, clock_offset_ms=None)
    assert only(list(machine.clocks(seen(warehouse, 2.2)))).state == "unknown"
    alive(warehouse, 3, clock_offset_ms=-420)
    told = only(list(machine.clocks(seen(warehouse, 3.2))))
    assert (told.subject, told.state, told.said) == ("clock of here", "good", "420 ms behind Kafka's")
    alive(warehouse, 4, clock_offset_ms=7_200_000)
    assert only(list(machine.clocks(seen(warehouse, 4.2)))).state == "needs you"


def test_a_venues_clock_that_is_seconds_off_kafkas_needs_somebody(warehouse: Lake) -> None:
    assert list(machine.venue_clocks(seen(warehouse, 0))) == [], "nobody brought a price"
    cases = {
        1: (120, "good"),
        20: (-900, "good"),
        40: (-7_200_000, "needs you"),
        60: (2_900, "good"),
        80: (60_000, "needs you"),
    }
    for minute, (late_ms, state) in cases.items():
        commit(
            warehouse, at(minute), mark_prices=[mark("bybit", minute, late_ms), mark("bybit", minute, late_ms + 9_000)]
        )
        found = only(list(machine.venue_clocks(seen(warehouse, minute + 1))))
        assert (found.subject, found.state) == ("clock of bybit", state), late_ms
    assert found.said == "its prices arrive at least 60.0 s late, by Kafka's clock"
    assert list(machine.venue_clocks(seen(warehouse, 82, AWAY))) == [], "what was told before is old"
    assert list(machine.venue_clocks(seen(warehouse, 95))) == []


def mark(venue: str, minute: float, late_ms: int) -> dict[str, Any]:
    """Return a mark price that came at that minute, so late by the venue's clock."""
    sent = at(minute) - timedelta(milliseconds=late_ms)
    return {
        "venue": venue, "symbol": "BTCUSDT", "ts": sent.replace(second=0, microsecond=0), "ts_event": sent,
        "ts_recv": at(minute), "source": "live", "kafka_topic": "raw.ticker", "kafka_offset": int(minute), "mark_price": 1.0,
    }  # fmt: skip


def test_what_waits_in_the_spool_needs_somebody_only_while_kafka_is_away(warehouse: Lake) -> None:
    assert only(list(machine.spool(seen(warehouse, 0)))).said == "empty"
    (warehouse.world / "spool" / "raw.ticker-0").mkdir(parents=True)
    (warehouse.world / "spool" / "raw.ticker-0" / "1.seg").write_bytes(bytes(2_000_000))
    assert (
        only(list(machine.spool(seen(warehouse, 0)))).said
        == "2.0 MB of frames wait on disk for Kafka, and are being sent"
    )
    assert only(list(machine.spool(seen(warehouse, 0, AWAY)))).state == "needs you"


def test_a_spool_on_another_machine_is_known_by_what_its_collector_tells(warehouse: Lake) -> None:
    alive(warehouse, 1, spool_bytes=5_000_000)
    assert only(list(machine.spool(seen(warehouse, 1.1)))).said.startswith("5.0 MB")


def test_a_disk_with_little_room_needs_somebody(warehouse: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SCARCE_SHARE", 0.0)
    monkeypatch.setattr(machine, "SCARCE_GB", 0.0)
    assert only(list(machine.disks(seen(warehouse, 0)))).state == "good"
    monkeypatch.setattr(machine, "SCARCE_GB", 1e9)
    assert only(list(machine.disks(seen(warehouse, 0)))).state == "needs you"


def test_each_part_of_up_is_looked_at_where_it_runs_and_an_up_that_was_killed_is_told(warehouse: Lake) -> None:
    here, began = seen(warehouse, 0), at(0).replace(tzinfo=UTC).timestamp()
    assert list(parts.ups(here)) == []
    board.write(here.world, [
        board.Part("collect", 11), board.Part("ingest", None, 2), board.Part("flows", 12, 9, short_lives=3, since_s=began - 30),
        board.Part("prefect", 13, 9, short_lives=3, since_s=began - 90),
    ])  # fmt: skip
    told = only(list(parts.ups(here)))
    assert told.said == "was started here and does not run any more, but it was not stopped"
    with alone(here.world, board.LOCK):
        states = {check.subject: check.state for check in parts.ups(here)}
    assert states == {
        "part collect": "good", "part ingest": "needs you", "part flows": "needs you", "part prefect": "good"
    }  # fmt: skip


def test_a_prefect_that_does_not_answer_is_told_and_none_is_not(warehouse: Lake) -> None:
    assert list(parts.prefect(seen(warehouse, 0))) == []
    wrong = parts.ask_prefect("http://127.0.0.1:1/api")
    assert wrong is not None
    assert "does not answer" in wrong
    assert only(list(parts.prefect(seen(warehouse, 0, prefect=wrong)))).state == "needs you"
    assert only(list(parts.prefect(seen(warehouse, 0, prefect="")))).state == "good"


def test_a_flow_that_has_not_succeeded_for_three_of_its_intervals_needs_somebody(warehouse: Lake) -> None:
    assert only(list(parts.flows(seen(warehouse, 0)))).said == "none has ever run here"
    began = at(0).replace(tzinfo=UTC).timestamp()
    note = notes.Note().began(began).succeeded(began)
    for name in EVERY:
        notes.write(warehouse.world, name, note)
    notes.write(warehouse.world, "audit", note.began(began + 1).failed(began + 2, "WarehouseError: the disk is full"))
    assert {check.state for check in parts.flows(seen(warehouse, 3))} == {"good"}
    late = {check.subject: check for check in parts.flows(seen(warehouse, 200)) if check.state != "good"}
    assert set(late) == {"flow refresh", "flow maintain", "flow estimate_levels", "flow find_signals", "flow audit"}
    assert late["flow audit"].said == (
        "succeeded 3 h 20 min ago; the last run failed 3 h 19 min ago: WarehouseError: the disk is full, "
        "expected within 3 h 0 min"
    )


def test_a_flow_that_never_succeeded_is_late_from_when_flows_were_served(warehouse: Lake) -> None:
    notes.serving(warehouse.world, at(0).replace(tzinfo=UTC).timestamp())
    notes.serving(warehouse.world, at(60).replace(tzinfo=UTC).timestamp())  # started again
    found = {check.subject: check.state for check in parts.flows(seen(warehouse, 4))}
    assert found["flow refresh"] == "needs you"
    assert found["flow audit"] == "good"


def test_a_check_that_fails_is_unknown_and_the_others_are_made(warehouse: Lake) -> None:
    def fails(seen: Seen) -> list[object]:
        raise RuntimeError("no such column")

    told = only(made("clocks", fails, seen(warehouse, 0)))  # type: ignore[arg-type]
    assert (told.state, told.said) == ("unknown", "could not be checked: RuntimeError: no such column")


def test_nothing_needs_you_only_where_every_check_was_made_and_is_good(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(warehouse.world))
    monkeypatch.setattr("pipelines.status.look.CHECKS", (("a", lambda _: [good("a", "is good")]),))
    ended = CliRunner().invoke(app, ["status"])
    assert (ended.exit_code, "Nothing needs you." in ended.output) == (0, True)
    monkeypatch.setattr(
        "pipelines.status.look.CHECKS", (("a", lambda _: [good("a", "is good")]), ("b", lambda _: [][0]))
    )
    ended = CliRunner().invoke(app, ["status"])
    assert (ended.exit_code, "Nothing needs you." in ended.output, "UNKNOWN" in ended.output) == (1, False, True)


def test_the_whole_look_at_a_world_without_kafka_is_quick_and_as_json(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(warehouse.world))
    ended = CliRunner().invoke(app, ["status", "--json"])
    told = json.loads(ended.output)
    assert (ended.exit_code, told["fine"]) == (1, False)
    states = {check["subject"]: check["state"] for check in told["checks"]}
    assert states["Kafka"] == "needs you"
    assert states["frames"] == states["collectors"] == states["lag"] == "unknown"
    assert all("could not be checked" not in check["said"] for check in told["checks"])


def test_a_kafka_that_is_frozen_does_not_keep_the_look_waiting(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections and never answers
        monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", f"127.0.0.1:{frozen.getsockname()[1]}")
        began = time.monotonic()
        told = next(check for check in look(warehouse.world) if check.subject == "Kafka")
    assert told.said.endswith("does not answer within 2 s")
    assert time.monotonic() - began < 15


def test_a_world_without_a_warehouse_is_told(tmp_path: Path) -> None:
    assert only(look(tmp_path)).subject == "warehouse"
