"""An answer names the venues of its rows; a row without one names none."""

import pyarrow as pa
import pytest

from pipelines.serve.standing import _in


@pytest.mark.parametrize("venues", [["okx", None, "bybit", ""], ["bybit", "okx", "okx"]])
def test_rows_without_a_venue_name_none(venues: list[str | None]) -> None:
    assert _in(pa.table({"venue": venues}), "venue") == ["bybit", "okx"]
