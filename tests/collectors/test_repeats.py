"""A library that repeats itself is heard once in a while."""

import logging

from collectors.repeats import EVERY_S, Repeats


def _line(name: str, text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, values, None)


def test_a_line_that_a_library_repeats_is_logged_once_in_a_while_with_how_often_it_came() -> None:
    now = [0.0]
    repeats = Repeats(("collectors",), lambda: now[0])
    assert repeats.filter(_line("aiokafka", "no connection to %d", 1))
    assert not any(repeats.filter(_line("aiokafka", "no connection to %d", n)) for n in range(30))
    assert repeats.filter(_line("aiokafka", "another line"))
    now[0] = EVERY_S
    last = _line("aiokafka", "no connection to %d", 7)
    assert repeats.filter(last)
    assert last.getMessage() == "no connection to 7 (30 more such lines since)"


def test_every_line_of_ours_is_logged() -> None:
    repeats = Repeats(("collectors", "pipelines"), lambda: 0.0)
    assert all(repeats.filter(_line("pipelines.ingest.run", "the same")) for _ in range(3))
