"""Each view's figures of a seeded day equal those recomputed from the raw frames in plain Python over `liq parse`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from pipelines.check.checking import audit
from tests.day.asked import INSTANTS, Figures
from tests.day.compare import differences, plain
from tests.day.facts import Facts, Rows, micros
from tests.day.figures import quality
from tests.day.lake import fill
from tests.day.parsed import events, parse
from tests.day.registry import FIGURES, NOT_RECOMPUTED
from tests.day.simulated import END, Day
from warehouse import lake
from warehouse.lake import Lake
from warehouse.statements import statements

LAST = INSTANTS["at the end of the day"]

pytestmark = pytest.mark.timeout(1800)  # the first test waits for the whole day to be simulated


class Shown(NamedTuple):
    """The day in a lake, what is known of it in plain Python, and which questions had an answer with rows."""

    warehouse: Lake
    facts: Facts
    rows: dict[tuple[str, str], bool]


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    world = tmp_path_factory.mktemp("world")
    frames = Day().run()
    fill(world, frames, END)
    rows, remarks = parse(frames, tmp_path_factory.mktemp("lines"))
    with lake.open(world) as opened:
        yield Shown(opened, Facts(frames, rows, remarks, events(frames)), {})


CASES = [pytest.param(figures, name, id=f"{figures.asked}: {name}") for figures in FIGURES for name in figures.instants]


@pytest.mark.parametrize(("figures", "name"), CASES)
def test_a_views_figures_are_those_of_the_raw_frames(day: Shown, figures: Figures, name: str) -> None:
    found = asked(day.warehouse, figures.asked, INSTANTS[name])
    day.rows[figures.asked, name] = bool(found)
    assert differences(found, figures.rows(day.facts, micros(INSTANTS[name])), figures.key, figures.left_out) == []


@pytest.mark.parametrize("figures", FIGURES, ids=[each.asked for each in FIGURES])
def test_the_day_has_something_to_show_in_every_view(day: Shown, figures: Figures) -> None:
    def shows(name: str) -> bool:
        if (figures.asked, name) not in day.rows:
            day.rows[figures.asked, name] = bool(asked(day.warehouse, f"{figures.asked} LIMIT 1", INSTANTS[name]))
        return day.rows[figures.asked, name]

    assert any(shows(name) for name in reversed(figures.instants))


def test_what_came_twice_was_left_out_and_is_told(day: Shown) -> None:
    warehouse, facts, _ = day
    sums = '(SELECT "table", sum(rows)::BIGINT AS rows FROM duplicates_dropped GROUP BY ALL)'
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None).isoformat()
    assert differences(asked(warehouse, sums, tomorrow), quality.duplicates_dropped(facts, 0), ("table",)) == []


def test_every_check_holds_on_the_day_but_that_of_gaps(day: Shown) -> None:
    found = audit(day.warehouse, END - timedelta(days=1, minutes=1), END - timedelta(minutes=1))
    assert {each.check.name for each in found if each.offenders} == {"feed_coverage_gaps"}


def test_every_view_and_macro_is_recomputed_or_says_why_not() -> None:
    names = {each.name for each in statements()}
    recomputed = {each.name for each in FIGURES}
    assert names - recomputed - NOT_RECOMPUTED.keys() == set()
    assert NOT_RECOMPUTED.keys() - names == set()
    assert NOT_RECOMPUTED.keys() & recomputed == set()


def test_a_figure_that_is_off_is_noticed(day: Shown) -> None:
    expected = [
        {"hours": 1, "usd": 1000.0, "count": 3, "long_share": 0.5, "venues": "okx"},
        {"hours": 4, "usd": 1000.0, "count": 3, "long_share": None, "venues": "okx"},
    ]
    assert differences([dict(row) for row in expected], expected, ("hours",)) == []
    for name, value in (
        ("usd", 1000.006),
        ("count", 4),
        ("long_share", 0.500001),
        ("long_share", None),
        ("venues", ""),
    ):
        assert len(differences([expected[0] | {name: value}, expected[1]], expected, ("hours",))) == 1
    assert len(differences(expected[:1], expected, ("hours",))) == 1
    assert len(differences([*expected, expected[0]], expected, ("hours",))) == 1


def asked(warehouse: Lake, what: str, instant: str) -> Rows:
    """Return the rows of a view, table or macro as of an instant."""
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [instant.removesuffix("Z")])
    cursor = warehouse.connection.execute(f"SELECT * FROM {what}")
    names = [column[0] for column in cursor.description]
    return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]
