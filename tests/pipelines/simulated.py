"""The simulated market as its three feeds show it, without servers: frames as a collector gets them, and the truth beside."""

import json
from collections.abc import Iterator, Sequence

from collectors.envelope import RawFrame
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.listing import listed
from collectors.simulator.market import STEP_MS, Market
from collectors.simulator.script import Phases
from collectors.simulator.throttles import Batches, LargestPerSecond, Late
from collectors.simulator.truth import Shown, Truth
from collectors.topics import LIQUIDATION, REFERENCE
from collectors.venues.binance.simulator import frames as binance_frames
from collectors.venues.binance.simulator import lists as binance_lists
from collectors.venues.bybit.simulator import frames as bybit_frames
from collectors.venues.okx.simulator import frames as okx_frames
from tests.pipelines.venue_frames import START_MS, Session

LATEST_MS = 20_000


class SimulatedFeeds:
    """A market run to its script's end. `frames`: in order of arrival, contract lists first; `truth`: what they show."""

    def __init__(self, coins: Sequence[str], phases: Phases, seed: int = 7, start_ms: int = START_MS) -> None:
        self.market = Market(seed, listed(coins, start_ms), phases, start_ms)
        self.start_ms = start_ms
        self._truth = Truth()
        self._sessions = {venue: Session(venue, "public-1-aaaa") for venue in ("binance", "bybit", "okx")}
        self._windows, self._batches, self._late = LargestPerSecond(), Batches(), Late()
        self.frames = [*self._lists(), *self._run(phases.length_ms)]

    @property
    def truth(self) -> list[Shown]:
        return self._truth.rows

    def _lists(self) -> Iterator[RawFrame]:
        contracts = self.market.contracts
        okx = [okx_frames.instrument(one) for one in contracts if one.venue == "okx"]
        yield self._frame("okx", "instruments", {"code": "0", "data": okx}, self.start_ms, REFERENCE, "rest")
        for market in ("um", "cm"):
            own = [one for one in contracts if one.market == market]
            listed = binance_lists.exchange_info(own, market, self.start_ms)
            yield self._frame("binance", f"{market}_exchangeInfo", listed, self.start_ms, REFERENCE, "rest")

    def _run(self, length_ms: int) -> Iterator[RawFrame]:
        while self.market.now < self.start_ms + length_ms + LATEST_MS:
            if self.market.now >= self.start_ms + length_ms:
                self.market.quiet()
            for one in self.market.advance(self.market.now + STEP_MS):
                self._offer(one)
            yield from self._due(self.market.now)

    def _offer(self, one: Liquidation) -> None:
        if one.contract.venue == "okx":
            self._late.offer(one, 2000 + one.ts * 7919 % 13_000 if one.ts % 33 == 0 else 40 + one.ts % 360)
        else:
            (self._windows if one.contract.venue == "binance" else self._batches).offer(one)

    def _due(self, now: int) -> Iterator[RawFrame]:
        for closes, one in self._windows.due(now):
            self._truth.show(one, now)
            yield self._frame("binance", "forceOrder", binance_frames.force_order(one, closes + 3), now)
        for batch in self._batches.due(now):
            for one in batch:
                self._truth.show(one, now)
            yield self._frame("bybit", "allLiquidation", bybit_frames.all_liquidation(batch, now), now)
        if late := self._late.due(now):
            for one in late:
                self._truth.show(one, now)
            data = okx_frames.liquidation_orders(late)
            yield self._frame(
                "okx", "liquidation-orders", {"arg": {"channel": "liquidation-orders"}, "data": data}, now
            )

    def _frame(
        self, venue: str, channel: str, body: object, at_ms: int, topic: str = LIQUIDATION, transport: str = "ws"
    ) -> RawFrame:
        return self._sessions[venue].frame(channel, "*", json.dumps(body).encode(), at_ms, topic, transport)
