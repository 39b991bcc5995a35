"""What `liq status` says of small files."""

import pytest

from pipelines.status import files as module
from pipelines.status.files import files
from tests.pipelines.serve.conftest import _liquidation, rows
from tests.pipelines.status.looked import only, seen
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.writer import append


def test_more_files_than_upkeep_leaves_between_two_runs_need_somebody(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    before = only(list(files(seen(warehouse, 0))))
    assert before.state == "good"
    for number in range(3):
        append(warehouse, {"liquidations": rows("liquidations", _liquidation(number))})
    found = only(list(files(seen(warehouse, 0))))
    assert (found.state, found.number) == ("needs you", 3)
    assert found.said.startswith("at most 3 small ones in a partition, of ")
    maintain(warehouse)
    assert only(list(files(seen(warehouse, 0)))).state == "good"
