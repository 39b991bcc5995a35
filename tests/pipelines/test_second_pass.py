"""Deribit's flags come an hour late: a second pass over the history host makes each liquidation a row, once."""

import asyncio
import time

import polars as pl
import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.simulator.truth import Shown
from collectors.venues.deribit.simulator import DeribitLimits
from collectors.venues.known import VENUES
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from tests.collectors.sink import Frames
from tests.pipelines.test_further_venues import _of_row, _of_truth, by_key

AGO_S = 100 * 60.0
"""The market's clock is so far behind: what happens in it is older than the ninety minutes of the second pass."""
ENOUGH = 40
BUSY = Phases(calm_s=600, trickle=60)


async def _heard(late: float) -> tuple[pl.DataFrame, list[Shown]]:
    """Return the rows of two passes as they come, and what was shown to the socket."""
    sink = Frames()

    def now() -> int:
        return int((time.time() - AGO_S) * 1000)

    limits = {"deribit": DeribitLimits(late=late, requests=10_000)}
    async with Simulator(seed=3, coins=["BTC"], phases=BUSY, now=now, limits=limits, venues=["deribit"]) as simulator:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in simulator.env().items():
                patch.setenv(name, value)
            venue = VENUES["deribit"]()
        collector = Collector(venue, sink, CollectorSettings(poll_scale=0.002, first_delay_s=0.05))
        running = asyncio.create_task(collector.run())
        await sink.until(lambda: sum(row.receivers for row in simulator.record.rows) >= ENOUGH)
        simulator.quiet()
        await sink.until(lambda: not simulator.state()["pending"]["deribit"])
        asked = {contract.symbol for contract in simulator.market.contracts}
        before = len(sink.all)
        await sink.until(lambda: asked <= _answered(sink, before))
        before = len(sink.all)
        await sink.until(lambda: asked <= _answered(sink, before))
        collector.stop()
        await asyncio.wait_for(running, 60)
        shown = list(simulator.record.rows)
    lists = [frame for frame in sink.data if frame.channel == "get_instruments"]
    tables = normalise(
        parse_frames([*lists, *(frame for frame in sink.data if frame not in lists)], {}), Instruments(), 0
    )
    return tables.tables["liquidations"], shown


def _answered(sink: Frames, since: int) -> set[str]:
    """Return the contracts whose trades were asked for once more since a frame."""
    return {frame.symbol for frame in sink.all[since:] if frame.channel == "get_last_trades_by_instrument"}


@pytest.mark.parametrize("late", [0.0, 0.5, 1.0])
def test_each_liquidation_is_a_row_once_however_many_flags_come_late(late: float) -> None:
    rows, shown = asyncio.run(_heard(late))
    pushed, again = (rows.filter(pl.col("completeness") == each) for each in ("partial", "all"))
    assert again.height > 0
    assert {0.0: pushed.height > 0, 0.5: 0 < pushed.height < again.height, 1.0: pushed.height == 0}[late]
    kept = rows.unique(["ts_event", "event_key", "occurrence"], keep="first", maintain_order=True)
    given = by_key(_of_row(row, True) for row in kept.iter_rows(named=True))
    happened = by_key(_of_truth(one, True, True) for one in shown)
    assert given == {key: [pytest.approx(amounts, rel=1e-9) for amounts in happened[key]] for key in happened}
