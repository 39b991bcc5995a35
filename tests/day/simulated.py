"""The frames of a seeded day, with ten days of history before it, as collectors would have recorded them.

Prices, liquidations and answers are the simulator's own; the time is the market's, so a run takes seconds. The day is not
a good one: OKX is not heard for two minutes and for seven, half of Bybit for three, Binance for a while by two sessions.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

from collectors import topics
from collectors.envelope import RawFrame
from collectors.history.endpoint import Series
from collectors.history.paging import Span, after, asked
from collectors.simulator.contracts import Coin, Contract
from collectors.simulator.history import DAY_MS, HOUR_MS, MINUTE_MS
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases
from collectors.simulator.truth import Truth
from collectors.topics import LIQUIDATION
from collectors.venues.binance.simulator import BinanceFeed, BinanceProtocol
from collectors.venues.binance.simulator import frames as binance_frames
from collectors.venues.bybit.simulator import BybitFeed
from collectors.venues.known import HISTORIES, USUAL, VENUES
from collectors.venues.okx.simulator import OkxFeed
from collectors.venues.venue import Feed, Frame, Poll
from tests.day.servers import ask, binance_of, bybit_of, listing, okx_of, payload, protocols
from tests.day.sessions import Clock, Poller, Recorded, Socket, channels

SEED = 20261118
COINS = ("BTC", "BONK")
START_MS = int(datetime(2026, 11, 18, tzinfo=UTC).timestamp() * 1000)
END = datetime(2026, 11, 19) + timedelta(minutes=1)  # noqa: DTZ001
"""When the coverage is computed, UTC: a minute after the day."""
PHASES = Phases(calm_s=13 * 3600.0, cascade_s=240.0, aftermath_s=1800.0, burst_s=60.0, burst=1500, trickle=0.09)
STEP_MS = 500
DAYS_BEFORE = 9
LATE_MS = 25 * MINUTE_MS
MARKS = "!markPrice@arr@1s"
MARK_EVERY_MS = 30_000
OKX_SOON_AWAY = (80_000, 200_000)
OKX_AWAY = (9 * HOUR_MS + 13 * MINUTE_MS + 20_000, 9 * HOUR_MS + 20 * MINUTE_MS + 20_000)
BYBIT_AWAY = (13 * HOUR_MS + 50_000, 13 * HOUR_MS + 3 * MINUTE_MS + 50_000)
BINANCE_TWICE = (15 * HOUR_MS, 15 * HOUR_MS + 4 * MINUTE_MS)
BACKFILL_MS = 20 * HOUR_MS + 10 * MINUTE_MS
BEFORE = {"klines": {"1m": 1.5, "1h": 8.0, "1d": 112.0}, "open-interest": {"5m": 1.0}, "funding": {"": 366.0}}
OF_THE_DAY = {"klines": {"1m": 0.25}, "open-interest": {"5m": 0.5}}
"""Days of history asked for, by what and length of bar: before the day, and in it, over what came live."""
POLL_SCALE = {topics.KLINE: 3.0, topics.REFERENCE: 6.0, topics.OPEN_INTEREST: 2.0}


class Day:
    """One day's market, the servers before it, and who collects."""

    def __init__(self) -> None:
        self.frames: list[RawFrame] = []
        self.market = Market(SEED, listed(COINS, START_MS), PHASES, START_MS)
        self._truth = Truth()
        self._clock = Clock(START_MS)
        self._venues = {name: VENUES[name]() for name in USUAL}
        self._protocols = protocols(self.market)
        self._feeds = {
            "binance": BinanceFeed(self.market, *binance_of(self._protocols), self._truth),
            "bybit": BybitFeed(self.market, bybit_of(self._protocols), self._truth, SEED),
            "okx": OkxFeed(self.market, okx_of(self._protocols), self._truth, SEED),
        }
        self._listings = {name: listing(self.market, venue) for name, venue in self._venues.items()}
        self._sockets: dict[tuple[str, str], Socket] = {}

    def run(self) -> list[RawFrame]:
        """Let it all happen; return the frames in the order they came; of one millisecond, as ingest reads them: by topic."""
        self._days_before()
        self._clock.now = START_MS
        self._open_all()
        pollers = {name: Poller(venue, self._clock, self.frames) for name, venue in self._venues.items()}
        for venue in self._venues:
            self._backfill(venue, BEFORE, START_MS - MINUTE_MS)
        jobs = sorted(self._jobs(pollers), key=lambda job: job[0])
        for at, job in jobs:
            self._advance(at)
            job()
        self._advance(START_MS + DAY_MS)
        for socket in self._sockets.values():
            socket.stopped()
        for poller in pollers.values():
            poller.recorded.event("stopped")
        return sorted(self.frames, key=lambda frame: (frame.recv_ns, frame.topic))

    def _advance(self, to_ms: int) -> None:
        while self.market.now + STEP_MS <= to_ms:
            for one in self.market.advance(self.market.now + STEP_MS):
                self._feeds[one.contract.venue].offer(one)
            now = self._clock.now = self.market.now
            for venue, feed in self._feeds.items():
                if venue == "binance":
                    self._hear_marks(now % MARK_EVERY_MS == 0)
                feed.push(now)
            self._hear_marks(True)

    def _hear_marks(self, heard: bool) -> None:
        """Binance sends marks every second; that many are no use here."""
        for (venue, name), socket in self._sockets.items():
            if venue == "binance" and name.startswith("um"):
                host = self._protocols["um"].host
                (host.subscribe if heard else host.unsubscribe)(socket.ear, MARKS)

    def _open_all(self) -> None:
        for name in self._venues:
            for feed in self._sockets_of(name):
                self._open(name, feed.name)

    def _sockets_of(self, name: str) -> tuple[Feed, ...]:
        feeds = self._venues[name].feeds(self._listings[name])
        return tuple(feed for feed in feeds if feed.args and feed.topic != topics.KLINE)

    def _open(self, name: str, feed_name: str, key: str = "") -> None:
        feed = next(feed for feed in self._sockets_of(name) if feed.name == feed_name)
        protocol = self._protocols["um" if name == "binance" else name]
        self._sockets[name, key or feed_name] = Socket(self._venues[name], feed, protocol, self._clock, self.frames)

    def _jobs(self, pollers: dict[str, Poller]) -> Iterator[tuple[int, Callable[[], object]]]:
        for cut, again in (OKX_SOON_AWAY, OKX_AWAY):
            yield START_MS + cut, lambda: self._sockets.pop(("okx", "public")).cut()
            yield START_MS + again, lambda: self._open("okx", "public")
        yield START_MS + BYBIT_AWAY[0], lambda: self._sockets.pop(("bybit", "linear")).cut()
        yield START_MS + BYBIT_AWAY[1], lambda: self._open("bybit", "linear")
        yield START_MS + BINANCE_TWICE[0], lambda: self._open("binance", "um", "um again")
        yield START_MS + BINANCE_TWICE[1], lambda: self._sockets.pop(("binance", "um")).rolled_over()
        yield START_MS + BACKFILL_MS, self._backfill_of_the_day
        for hour in range(1, 24, 2):
            yield START_MS + hour * HOUR_MS + 777_000, self._unpriced
        for hour in (11, 22):
            yield START_MS + hour * HOUR_MS, self._unreadable
        for second in range(40):
            yield START_MS + 13 * HOUR_MS + MINUTE_MS + second * 1000 + 500, self._third
        for name, venue in self._venues.items():
            for poll in venue.polls:
                yield from self._rounds(pollers[name], poll)

    def _rounds(self, poller: Poller, poll: Poll) -> Iterator[tuple[int, Callable[[], object]]]:
        venue = poller.recorded.venue
        values = poll.values(self._listings[venue.name])
        every = int(poll.every_s * 1000 * POLL_SCALE.get(poll.topic, 1.0))
        for number in range(0, DAY_MS, every):
            for index, value in enumerate(values):
                at = START_MS + number + index * min(every, 300_000) // len(values)
                yield at, partial(self._poll, poller, poll, value)

    def _unpriced(self) -> None:
        """A liquidation of a contract that is not listed, in a quote that is no dollar."""
        self._of_ether("BTC", "1.234", "0.037512")

    def _third(self) -> None:
        """One of many of a third coin, so that for a while three are in a cascade."""
        self._of_ether("USDT", "17.025", "2391.37")

    def _of_ether(self, quote: str, qty: str, price: str) -> None:
        coin = Coin("ETH", float(price), 1, 1)
        contract = Contract("binance", "um", f"ETH{quote}", coin, quote, quote, False, 1.0, 1, 1e-6, 1e-3, 0.0)
        one = Liquidation(contract, self.market.now - 1000, "long", qty, price, price, price)
        self._send(binance_frames.force_order(one, self.market.now))

    def _unreadable(self) -> None:
        """A liquidation of a side that does not exist."""
        contract = self.market.contracts[0]
        one = Liquidation(contract, self.market.now - 1000, "long", "1.5", "60000.1", "59999.1", "60001.1")
        told = binance_frames.force_order(one, self.market.now)
        self._send(told | {"o": told["o"] | {"S": "HOLD"}})

    def _send(self, told: dict[str, Any]) -> None:
        um = self._protocols["um"]
        assert isinstance(um, BinanceProtocol)
        self._clock.now = self.market.now
        um.publish("!forceOrder@arr", orjson.dumps(told))

    def _poll(self, poller: Poller, poll: Poll, value: str) -> None:
        params = dict(poll.params) | ({poll.param: value} if poll.param else {})
        if poll.since:
            params[poll.since[0]] = str(self.market.now - int(poll.since[1] * 1000))
        poller.answered(poll, value, ask(self.market, poll.url, params))

    def _backfill_of_the_day(self) -> None:
        for venue in self._venues:
            self._backfill(venue, OF_THE_DAY, START_MS + BACKFILL_MS)

    def _backfill(self, name: str, wanted: dict[str, dict[str, float]], last: int) -> None:
        """Ask for history as `liq backfill` does, of perpetuals only; recorded by a session of its own."""
        venue = self._venues[name]
        self._clock.now = self.market.now
        recorded = Recorded(venue, "backfill", "rest", self._clock, self.frames, "backfill")
        recorded.event("started")
        for endpoint in HISTORIES[name]().endpoints:
            for one in self._listings[name].get(endpoint.group, ()):
                how = endpoint.names(one)
                if how is None or not one.funding:
                    continue
                for length, back in wanted.get(endpoint.what, {}).items():
                    series = Series(endpoint, how, length)
                    oldest = max(last - int(back * DAY_MS), series.kept_since(self.market.now) or 0)
                    self._page(recorded, series, Span(oldest, last))
        recorded.event("stopped")
        self._clock.now = self.market.now

    def _page(self, recorded: Recorded, series: Series, gap: Span) -> None:
        rest: Span | None = gap
        while rest and (span := asked(series, rest)):
            body = ask(self.market, series.endpoint.url, dict(series.params(*span)))
            recorded.frame(body, Frame(series.channel, series.asked.symbol, series.endpoint.topic))
            rest = after(series, rest, span, series.times(body), self.market.now).rest

    def _days_before(self) -> None:
        """Nine days of liquidations alone, some an hour, heard without a gap from the first day's 00:25 on."""
        rng = random.Random(f"{SEED}/before")
        recorded: dict[str, Recorded] = {}
        began = self._clock.now = START_MS - DAYS_BEFORE * DAY_MS + LATE_MS
        for name, venue in self._venues.items():
            feed = self._sockets_of(name)[0]
            recorded[name] = Recorded(venue, feed.name, "ws", self._clock, self.frames)
            recorded[name].event("connected", url=feed.url, arguments=len(feed.args))
            told = [each for each in channels(venue, feed) if each["topic"] == LIQUIDATION]
            recorded[name].event("subscribed", arguments=len(told), channels=told)
        for hour in range(DAYS_BEFORE * 24):
            start = START_MS - DAYS_BEFORE * DAY_MS + hour * HOUR_MS
            longs = rng.uniform(0.1, 0.9)
            times = sorted(rng.randrange(start, start + HOUR_MS - 2000) for _ in range(rng.randrange(2, 14)))
            for ts in (ts for ts in times if ts > began):
                one = self._past(rng, ts, longs)
                self._clock.now = ts + 1000
                venue = recorded[one.contract.venue]
                told = payload(one, ts + 1000)
                named = venue.venue.classify(told)
                assert isinstance(named, Frame)
                venue.frame(told, named)
        self._clock.now = START_MS - 1000
        for each in recorded.values():
            each.event("rolled_over", "planned")
            each.event("disconnected", "rolled_over")

    def _past(self, rng: random.Random, ts: int, longs: float) -> Liquidation:
        contract = rng.choice([c for c in self.market.contracts if not c.expiry_ms])
        mark = self.market.history.price(contract.coin, ts)
        qty = contract.qty_text(contract.units(3000 * rng.lognormvariate(0, 1.4), mark))
        side = "long" if rng.random() < longs else "short"
        prices = [contract.price_text(mark * part) for part in (0.999, 0.99, 1.0)]
        return Liquidation(contract, ts, side, qty, *prices)  # type: ignore[arg-type]
