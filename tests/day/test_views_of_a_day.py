"""Each view's figures of a seeded day equal those recomputed from the raw frames in plain Python over `liq parse`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.day.compare import differences, plain
from tests.day.facts import Facts, Rows, micros
from tests.day.lake import fill
from tests.day.parsed import events, parse
from tests.day.registry import FIGURES, NOT_RECOMPUTED, Figures
from tests.day.simulated import END, Day
from warehouse import lake
from warehouse.lake import Lake
from warehouse.statements import statements

INSTANTS = {
    "on a full hour": "2026-11-18T08:00:00Z",
    "in the cascade, after two gaps": "2026-11-18T13:10:00.250000Z",
    "in the aftermath": "2026-11-18T14:34:37.500000Z",
    "at the end of the day": "2026-11-18T23:59:59.900000Z",
}


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Facts]]:
    """The day in a lake, and what is known of it in plain Python."""
    world = tmp_path_factory.mktemp("world")
    frames = Day().run()
    fill(world, frames, END)
    rows, remarks = parse(frames, tmp_path_factory.mktemp("lines"))
    with lake.open(world) as opened:
        yield opened, Facts(frames, rows, remarks, events(frames))


@pytest.mark.parametrize("instant", INSTANTS.values(), ids=INSTANTS)
@pytest.mark.parametrize("figures", FIGURES, ids=[each.asked for each in FIGURES])
def test_a_views_figures_are_those_of_the_raw_frames(day: tuple[Lake, Facts], figures: Figures, instant: str) -> None:
    warehouse, facts = day
    now = micros(instant)
    if now < figures.since:
        pytest.skip("rows of the day before were stored before their contracts were known, liq parse knows them")
    found = asked(warehouse, figures.asked, instant)
    expected = figures.rows(facts, now)
    assert differences(found, expected, figures.key, figures.left_out) == []


@pytest.mark.parametrize("figures", FIGURES, ids=[each.asked for each in FIGURES])
def test_the_day_has_something_to_show_in_every_view(day: tuple[Lake, Facts], figures: Figures) -> None:
    assert any(asked(day[0], figures.asked, instant) for instant in INSTANTS.values())


def test_every_view_and_macro_is_recomputed_or_says_why_not() -> None:
    names = {each.name for each in statements()}
    recomputed = {each.name for each in FIGURES}
    assert names - recomputed - NOT_RECOMPUTED.keys() == set()
    assert NOT_RECOMPUTED.keys() - names == set()
    assert NOT_RECOMPUTED.keys() & recomputed == set()


def test_a_figure_that_is_off_is_noticed(day: tuple[Lake, Facts]) -> None:
    expected = [
        {"hours": 1, "usd": 1000.0, "count": 3, "long_share": 0.5, "venues": "okx"},
        {"hours": 4, "usd": 1000.0, "count": 3, "long_share": None, "venues": "okx"},
    ]
    assert differences([dict(row) for row in expected], expected, ("hours",)) == []
    for name, value in (("usd", 1000.006), ("count", 4), ("long_share", 0.500001), ("long_share", None), ("venues", "")):
        assert len(differences([expected[0] | {name: value}, expected[1]], expected, ("hours",))) == 1
    assert len(differences(expected[:1], expected, ("hours",))) == 1
    assert len(differences([*expected, expected[0]], expected, ("hours",))) == 1


def asked(warehouse: Lake, what: str, instant: str) -> Rows:
    """Return the rows of a view, table or macro as of an instant."""
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [instant.removesuffix("Z")])
    cursor = warehouse.connection.execute(f"SELECT * FROM {what}")
    names = [column[0] for column in cursor.description]
    return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]
