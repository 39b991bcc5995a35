"""BitMEX' open orders, known again by a restarted ingest out of the frames that are stored."""

from typing import Any

import msgspec
import pytest

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION
from pipelines.ingest.resume import held_from
from pipelines.venues import Held
from pipelines.venues.bitmex.liquidations import DONE, OPEN, Order
from tests.pipelines.logs import Plain
from tests.pipelines.test_known_errors import DELETE, ENLARGE, FILL, INSERT, change
from tests.pipelines.test_resume import store
from tests.pipelines.venue_frames import START_MS, Session

NONSENSE: tuple[Any, ...] = (
    b"\xff\xfe",
    {"table": "liquidation", "data": 7},
    {"table": "liquidation", "data": [{"orderID": 3}]},
)


@pytest.fixture
def warehouse() -> Any:
    return Plain()


def frames(*messages: Any) -> list[RawFrame]:
    """Return the messages as frames of one session, a second apart, with their place."""
    session = Session("bitmex", "public-1-aaaa")
    found = [
        session.frame("liquidation", "*", message, START_MS + 1000 * n, LIQUIDATION)
        for n, message in enumerate(messages)
    ]
    return [msgspec.structs.replace(frame, offset=n) for n, frame in enumerate(found)]


def test_a_restarted_ingest_knows_open_orders_and_those_that_are_over(warehouse: Any) -> None:
    other = [{**row, "orderID": "b"} for row in INSERT["data"]]
    told = frames(INSERT, ENLARGE, FILL, INSERT | {"data": other}, change("delete", orderID="b"), *NONSENSE)
    before: Held = {}
    store(warehouse, told, before)
    assert held_from(warehouse) == before
    assert before == {
        (OPEN, "a"): Order("XBTUSD", "Sell", 100000.0, 21600.0, START_MS + 10),
        (DONE, "b"): START_MS + 3010,
    }


def test_an_order_that_was_open_at_a_restart_gives_the_row_it_would_have_given(warehouse: Any) -> None:
    store(warehouse, frames(INSERT, ENLARGE), {})
    store(warehouse, frames(INSERT, ENLARGE, FILL, DELETE)[2:], held_from(warehouse))
    (row,) = warehouse.connection.execute("SELECT qty_raw, epoch_ms(ts_event) FROM liquidations").fetchall()
    assert row == (21600.0, START_MS + 10)
