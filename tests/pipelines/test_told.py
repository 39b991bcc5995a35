"""What a demo says of itself at its end."""

import pytest

from pipelines.up.told import is_right


@pytest.mark.parametrize(
    ("missing", "sent", "stored", "right"),
    [(0, 7, 7, True), (0, 7, 9, True), (0, 7, 6, False), (0, 7, 10, False), (1, 7, 7, False)],
)
def test_each_is_stored_once_and_none_that_was_never_published(
    missing: int, sent: int, stored: int, right: bool
) -> None:
    assert is_right({"missing": missing, "sent": sent, "stored": stored}, published=9) is right
