"""Whatever numbers a frame holds, its rows are within the bounds."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise
from pipelines.facts import Liquidation
from pipelines.venues.bounds import (
    AMOUNT,
    EARLIEST_MS,
    LATE_MS,
    NOTIONAL,
    PRICE,
    QUANTITY,
    implausible,
    is_symbol,
)
from tests.pipelines.bounded import BAD_SYMBOLS, READERS
from tests.pipelines.frame_files import own_frames

OWN = own_frames()

EXTREME = ("9.9e307", "1e300", "-1e300", "1e21", "1e19", "1e13", "1e12", "1", "0", "-1", "1e-15", "1e-16", "5e-324", "1e999",
           "nan", "", "9" * 400, 2**63, 2**64, -(2**63), 10**15, 1e308, 1.5, None)  # fmt: skip


extremes = st.one_of(st.sampled_from(EXTREME), st.sampled_from(BAD_SYMBOLS), st.floats(), st.integers())


def _made(node: Any, data: st.DataObject) -> Any:
    """A document with some of its leaves replaced by extremes, written as the venue writes them."""
    if isinstance(node, dict):
        return {key: _made(value, data) for key, value in node.items()}
    if isinstance(node, list):
        return [_made(value, data) for value in node]
    if data.draw(st.integers(0, 5)):
        return node
    value = data.draw(extremes)
    return value if value is None or isinstance(node, bool) else str(value) if isinstance(node, str) else value


@settings(
    deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.data())
@pytest.mark.usefixtures("few")
def test_whatever_numbers_a_frame_of_any_channel_holds_its_rows_are_within_bounds(data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from(OWN))
    try:
        document = json.loads(frame.payload)
    except ValueError:
        return
    frames = [msgspec.structs.replace(frame, payload=json.dumps(_made(document, data)).encode()) for _ in range(3)]
    for reader in READERS.values():
        parsed = reader(frames, {})
        for kind, facts in parsed.facts.items():
            for row in facts.rows:
                assert implausible(row) == ""
                assert (
                    EARLIEST_MS
                    <= getattr(row, "ts_event", EARLIEST_MS)
                    <= frame.recv_ns // 1_000_000 + LATE_MS + 60_000
                )
            for block in facts.blocks:
                assert kind is Liquidation
                assert block["qty"].is_between(QUANTITY.least, QUANTITY.most).all()
                assert block["price"].drop_nulls().is_between(PRICE.least, PRICE.most).all()
                assert all(map(is_symbol, block["symbol"]))
        rows = normalise(parsed, Instruments()).tables["liquidations"]
        assert (rows["notional_usd"].drop_nulls() <= NOTIONAL.most).all()
        assert (rows["qty_base"].drop_nulls() <= AMOUNT.most).all()
