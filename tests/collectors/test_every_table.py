"""What the collectors bring from the simulated venues, through the parsers: every table has rows of every venue."""

import asyncio

import pytest

from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Phases, Simulator
from collectors.topics import EVENTS
from collectors.venues.known import USUAL, VENUES
from collectors.venues.venue import Listed
from pipelines.facts import (
    FundingRate,
    FundingSettlement,
    Instrument,
    Kline,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    MarkPrice,
    OpenInterest,
    Rejected,
)  # fmt: skip
from pipelines.reading.parse import parse_frames
from pipelines.venues import Held
from tests.collectors.sink import Frames

QUICK = CollectorSettings(poll_scale=0.01)
STATE = {Liquidation, FundingRate, FundingSettlement, OpenInterest, MarkPrice, Kline, LongShortRatio, Instrument}
ONLY_CHANGES = {"contractInfo", "instruments"}
LISTING = {group: [Listed("X", "X")] for group in ("um", "cm", "linear", "inverse", "SWAP", "FUTURES")}
RATIOS = {
    "binance": {"global_accounts", "top_accounts", "top_positions", "taker"},
    "bybit": {"global_accounts"},
    "okx": {"global_accounts", "top_accounts", "top_positions", "taker"},
}


@pytest.mark.parametrize("name", list(USUAL))
async def test_every_table_of_a_venue_gets_rows_and_nothing_is_rejected(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator(coins=["BTC", "ETH"], phases=Phases(trickle=60)) as simulator:
        for setting, value in simulator.env().items():
            monkeypatch.setenv(setting, value)
        sink = Frames()
        collector = Collector(VENUES[name](), sink, QUICK)
        venue = VENUES[name]().without(QUICK.left_out)
        running = asyncio.create_task(collector.run())
        args = {arg for feed in venue.feeds(LISTING) for arg in feed.args}
        pushed = {venue.stream(arg).channel for arg in args} - ONLY_CHANGES
        channels = pushed | {poll.channel for poll in venue.polls}
        try:
            await sink.until(lambda: channels <= {frame.channel for frame in sink.data})
        finally:
            collector.stop()
            await asyncio.wait_for(running, 60)
        answers = simulator.state()["answers"]
    parsed = parse_frames([frame for frame in sink.all if frame.topic != EVENTS], Held())
    assert Rejected not in parsed.facts, [fact.reason for fact in parsed.facts[Rejected].rows][:3]  # type: ignore[attr-defined]
    wanted = STATE if name == "binance" else STATE | {LeverageTier}  # Binance's brackets need a key
    assert wanted <= parsed.facts.keys()
    kinds = {row.kind for row in parsed.facts[LongShortRatio].rows if isinstance(row, LongShortRatio)}
    assert kinds == RATIOS[name]
    assert all(set(statuses) <= {"200"} for statuses in answers.values()), answers
    assert not sink.told("poll_failed")
