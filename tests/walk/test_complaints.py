"""The judge of the walk: each fault that a new user would meet is one."""

import pytest

from tests.walk.complaints import NOTE, complaints
from tests.walk.printed import of_demo, of_readme
from tests.walk.trying import Tried
from tests.walk.ways import Way

GOOD = Tried("liq audit", 0, "3 rows\n", f"{NOTE}\n")


@pytest.mark.parametrize(
    ("way", "tried", "fault"),
    [
        (Way(), GOOD, None),
        (Way(), GOOD._replace(code=1), "ended with 1"),
        (Way(code=(1,)), GOOD._replace(code=1), None),
        (Way(until="rows"), GOOD._replace(code=130), None),
        (Way(until="never"), GOOD, "does not say 'never'"),
        (Way(), GOOD._replace(errors="Traceback (most recent call last):"), "a traceback"),
        (Way(), GOOD._replace(said="", errors="\n"), "says nothing"),
        (Way(), GOOD._replace(said="0 rows\n"), "has nothing to show"),
        (Way(may_be_empty=True), GOOD._replace(said="0 rows\n"), None),
        (Way(says="whole"), GOOD, "does not say 'whole'"),
        (Way(), GOOD._replace(said="read data/live"), "speaks of data/live"),
        (Way(), Tried("liq sql x", 0, "3 rows", ""), "does not say which world it read"),
    ],
)
def test_each_fault_is_a_complaint_and_a_good_answer_is_none(way: Way, tried: Tried, fault: str | None) -> None:
    assert list(complaints(way, tried, "data/live")) == ([fault] if fault else [])


def test_commands_are_found_in_blocks_in_cells_and_behind_the_demo() -> None:
    readme = (
        '    make demo\n\n    liq sql "from x"\n| `liq plot map` / `oi` | pictures |\n| `liq watch` | page |\n`liq x`\n'
    )
    assert of_readme(readme) == ["make demo", 'liq sql "from x"', "liq plot map", "liq plot oi", "liq watch"]
    assert of_demo("It took 3 s. Try next:\n  LIQ_DATA=x .venv/bin/liq watch\nother\n") == [
        "LIQ_DATA=x .venv/bin/liq watch"
    ]
