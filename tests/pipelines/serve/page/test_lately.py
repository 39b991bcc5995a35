"""What every range shows alike is found once, and anew a little later."""

import pytest

from pipelines.serve.page import lately as module
from pipelines.serve.page.lately import Lately


def test_it_is_found_once_for_all_who_ask_soon_and_anew_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 9.0, 11.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    lately, found = Lately(), iter(range(10))
    assert lately.get(("levels", "BTC"), lambda: next(found)) == 0
    assert lately.get(("levels", "BTC"), lambda: next(found)) == 0
    assert lately.get(("levels", "ETH"), lambda: next(found)) == 1
    assert lately.get(("levels", "BTC"), lambda: next(found)) == 2


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    lately = Lately()
    for number in range(10):
        lately.get(number, lambda: 0)
    assert len(lately._found) <= 3
