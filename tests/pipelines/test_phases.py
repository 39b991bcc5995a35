"""What a person sees between the start and the end of `liq demo` and `liq up`, and that Ctrl-C ends it cleanly."""

import asyncio
import io
import os
import pty
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from collectors.history import plan
from collectors.history.endpoint import WHATS
from collectors.history.paging import Span
from collectors.venues.known import RECORDS, USUAL
from collectors.venues.record import Record
from pipelines.up import board
from pipelines.up.commands import StartError, run
from pipelines.up.demo import PHASES, holds_a_demo
from pipelines.up.invented import OF_SCRIPT, SCRIPT_S, script_of
from pipelines.up.past import PAST, backfills
from pipelines.up.phases import Phases
from pipelines.up.up import together


def _out(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", PHASES)
def test_every_phase_is_two_lines_that_fit_the_terminal(name: str, width: int) -> None:
    out = _out(width)
    phases = Phases(out, PHASES, {OF_SCRIPT[name]: seconds for name, seconds in SCRIPT_S.items()})
    for each in PHASES:
        phases.begin(each)
        if each == name:
            break
    lines = out.render_lines(phases.drawn() or "", pad=False)
    texts = ["".join(segment.text for segment in line) for line in lines]
    assert len(texts) == 2
    assert max(map(len, texts)) <= width
    assert f"▶ {name}" in texts[0]


def test_where_the_output_is_no_terminal_a_phase_is_a_line() -> None:
    out = Console(file=io.StringIO(), width=400)
    phases = Phases(out, PHASES)
    with phases.shown():
        phases.begin("calm")
        phases.begin("calm")
        phases.begin("cascade")
    assert out.file.getvalue().splitlines() == [f"{name}: {PHASES[name]}" for name in ("calm", "cascade")]  # type: ignore[attr-defined]


async def test_ctrl_c_does_not_reach_the_commands_that_are_run() -> None:
    """The terminal sends it to all of a group; what runs is in one of its own, and whoever waits decides."""
    code = "import os, sys; sys.exit(os.getpgid(0) != os.getpid())"
    await run([sys.executable, "-c", code], {})


async def test_a_command_that_fails_says_the_last_line_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kafka.log"
    with pytest.raises(StartError, match="no Java here"):
        await run([sys.executable, "-c", "import sys; sys.exit('no Java here')"], {}, log)


async def test_where_one_of_several_things_fails_the_others_are_given_up() -> None:
    given_up: list[bool] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.append(True)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise StartError("no Java")

    with pytest.raises(StartError, match="no Java"):
        await together(for_ever(), fails())
    assert given_up


def test_a_folder_with_what_a_demo_left_is_known(tmp_path: Path) -> None:
    assert not holds_a_demo(tmp_path)
    (tmp_path / board.DEMO).touch()
    assert not holds_a_demo(tmp_path), "there is nothing to lose"
    (tmp_path / "lake").mkdir()
    assert holds_a_demo(tmp_path)


def test_on_a_terminal_the_demo_asks_before_it_deletes(tmp_path: Path) -> None:
    (tmp_path / board.DEMO).touch()
    kept = tmp_path / "precious"
    kept.touch()
    told, code = _in_a_terminal(tmp_path, lambda fd: os.write(fd, b"n\n"), until="delete it and start afresh?")
    assert code == 1, told
    assert kept.exists()


def test_ctrl_c_at_the_question_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / board.DEMO).touch()
    (tmp_path / "precious").touch()
    told, code = _in_a_terminal(tmp_path, lambda fd: os.write(fd, b"\x03"), until="delete it and start afresh?")
    assert code == 130, told
    assert "Traceback" not in told


def _in_a_terminal(world: Path, then: Callable[[int], object], until: str) -> tuple[str, int]:
    """Run `liq demo` in a terminal, do `then` when it has said `until`; return what it said and its exit code.

    Done again after every two seconds of silence, as a person would: a key pressed just before it is waited for is not heard.
    """
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may have it ignored
        os.execve(sys.executable, [sys.executable, "-m", "liq", "demo"], {**os.environ, "LIQ_DATA": str(world)})
    told, done = "", False
    while True:
        if done and not select.select([fd], [], [], 2.0)[0]:
            then(fd)
            continue
        try:
            told += os.read(fd, 4096).decode(errors="replace")
        except OSError:  # Linux' way of saying that the other end is closed
            break
        if until in told and not done:
            then(fd)
            done = True
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return told, code if code >= 0 else signal.Signals(-code)


@pytest.mark.parametrize(("minutes", "calm"), [(None, 6), (0, 6), (0.1, 6), (10, 585)])
def test_a_longer_market_is_calm_for_longer(minutes: float | None, calm: float) -> None:
    assert script_of(minutes) == {"calm": calm, "cascade": 10, "aftermath": 5}


@pytest.mark.parametrize("venue", RECORDS.values(), ids=lambda venue: venue.name)
def test_the_demo_asks_each_venue_for_what_it_has_of_the_past(venue: Record) -> None:
    found = list(backfills(venue.history().endpoints))
    for asked in found:
        options = dict(zip(asked[::2], asked[1::2], strict=True))
        what = tuple(each for each in WHATS if each in options["--what"].split(","))
        order = plan.Order(what, Span(0, 1), (), options["--period"], options["--interval"])
        plan.series(venue.history(), {}, order)
    assert bool(found) == any(each.what in PAST for each in venue.history().endpoints)


def test_the_usual_venues_are_asked_for_all_of_it() -> None:
    assert all(
        [asked[1] for asked in backfills(RECORDS[name].history().endpoints)] == [",".join(PAST)] * 2 for name in USUAL
    )
