"""The model's liquidation prices are those of `pipelines.position`, whose figures are checked against the published ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.derive.levels.margins import factor
from pipelines.errors import InvalidPositionError
from pipelines.facts import Contract
from pipelines.position.positions import isolated
from pipelines.position.price import liquidation_price
from pipelines.position.tiers import flat

ENTRY = 50_000.0


@given(
    st.sampled_from(["linear", "inverse"]), st.booleans(), st.integers(1, 125).map(float),
    st.floats(0.0, 0.1, exclude_max=True),
)  # fmt: skip
def test_a_level_lies_where_a_position_of_that_leverage_is_liquidated(
    contract: Contract, long: bool, leverage: float, mmr: float
) -> None:
    position = isolated("long" if long else "short", contract, ENTRY, 1.0, leverage)
    found = factor(leverage, mmr, long=long, inverse=contract == "inverse")
    try:
        price = liquidation_price(position, flat(mmr)).price
    except InvalidPositionError:
        price = None
    assert (found is None) == (price is None)
    if found is not None:
        assert found * ENTRY == pytest.approx(price, rel=1e-9)
