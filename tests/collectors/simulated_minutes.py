"""A stretch of the simulated market as the three venues' feeds and REST show it, sorted by contract and minute."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import orjson
from websockets.asyncio.server import ServerConnection

from collectors.simulator.budgets import Ladder
from collectors.simulator.contracts import Contract
from collectors.simulator.faults import Faults
from collectors.simulator.history import MINUTE_MS
from collectors.simulator.host import Answer, Client
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases
from collectors.simulator.truth import Truth
from collectors.venues.binance.simulator import BinanceFeed, BinanceLimits, BinanceProtocol
from collectors.venues.binance.simulator.rest import BinanceRest
from collectors.venues.bybit.simulator import BybitFeed, BybitLimits, BybitProtocol
from collectors.venues.bybit.simulator.rest import BybitRest
from collectors.venues.okx.simulator import OkxFeed, OkxLimits, OkxProtocol, known_topics
from collectors.venues.okx.simulator.rest import OkxRest

QUICK = (
    BybitLimits(ticker_ms=500),
    OkxLimits(mark_ms=500, index_ms=500, open_interest_ms=1000, funding_ms=(999, 1000)),
)


class Bar(NamedTuple):
    """A candle as a venue sends it: prices as quoted, volume in the venue's unit, and whether it is over."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool


class Minute:
    """What a venue showed of one contract in one minute; liquidations are those that happened, shown or not."""

    def __init__(self) -> None:
        self.bars: list[Bar] = []
        self.marks: list[float] = []
        self.indexes: list[float] = []
        self.lasts: list[float] = []
        self.rates: list[float] = []
        self.interest: list[float] = []
        self.happened: list[Liquidation] = []


class Ear(Client):
    """A client that hears everything."""

    def __init__(self, path: str) -> None:
        super().__init__(cast(ServerConnection, None), path, {})
        self.heard: list[Any] = []

    def write(self, frame: bytes) -> bool:
        self.heard.append(orjson.loads(frame[{126: 4, 127: 10}.get(frame[1], 2) :]))
        return True


class Stretch:
    """The market run through its script; `minutes` by contract and minute's start."""

    def __init__(self, seed: int, coins: Sequence[str], phases: Phases, start_ms: int) -> None:
        self.market = Market(seed, listed(coins, start_ms), phases, start_ms)
        self.minutes: dict[Contract, dict[int, Minute]] = {
            contract: defaultdict(Minute) for contract in self.market.contracts
        }
        self._named = {(c.venue, c.symbol): c for c in self.market.contracts}
        self._served = self._protocols()
        self._ears = self._listen()
        truth, (um, cm, bybit, okx) = Truth(), self._served
        feeds = {
            "binance": BinanceFeed(self.market, um, cm, truth), "bybit": BybitFeed(self.market, bybit, truth, seed),
            "okx": OkxFeed(self.market, okx, truth, seed),
        }  # fmt: skip
        while self.market.now < start_ms + phases.length_ms:
            for one in self.market.advance(self.market.now + 500):
                self.minutes[one.contract][one.ts // MINUTE_MS * MINUTE_MS].happened.append(one)
                feeds[one.contract.venue].offer(one)
            for feed in feeds.values():
                feed.push(self.market.now)
            self._sort()

    def whole(self) -> Iterator[tuple[Contract, int, Minute]]:
        """Yield every minute that is over, of every contract."""
        first = -(-self.market.start_ms // MINUTE_MS) * MINUTE_MS
        for contract, minutes in self.minutes.items():
            for start in range(first, self.market.now - MINUTE_MS + 1, MINUTE_MS):
                yield contract, start, minutes[start]

    def rest(self, contract: Contract, kind: str) -> dict[int, Bar]:
        """Return the last candles as the venue's REST serves them: of kind trade, mark or index."""
        if contract.venue == "binance":
            base = "/fapi/v1/" if contract.market == "um" else "/dapi/v1/"
            name = {"trade": "klines", "mark": "markPriceKlines", "index": "indexPriceKlines"}[kind]
            asked = {"pair": contract.pair} if kind == "index" else {"symbol": contract.symbol}
            answer = BinanceRest(self.market, contract.market, Ladder())(base + name, asked | {"interval": "1m"})
            rows = orjson.loads(answer.body)
        elif contract.venue == "bybit":
            name = {"trade": "kline", "mark": "mark-price-kline", "index": "index-price-kline"}[kind]
            query = {"category": contract.market, "symbol": contract.symbol, "interval": "1"}
            rows = orjson.loads(BybitRest(self.market, QUICK[0])(f"/v5/market/{name}", query).body)["result"]["list"]
        else:
            name = {"trade": "candles", "mark": "mark-price-candles", "index": "index-candles"}[kind]
            named = contract.index if kind == "index" else contract.symbol
            rows = orjson.loads(OkxRest(self.market)(f"/api/v5/market/{name}", {"instId": named}).body)["data"]
        return {int(row[0]): _bar(row, int(row[0]) + MINUTE_MS <= self.market.now) for row in rows}

    def _protocols(self) -> tuple[BinanceProtocol, BinanceProtocol, BybitProtocol, OkxProtocol]:
        def no(_path: str, _query: dict[str, str]) -> Answer:
            return Answer(404, b"")

        symbols: dict[str, set[str]] = {"linear": set(), "inverse": set()}
        for contract in self.market.contracts:
            symbols.setdefault(contract.market, set()).add(contract.symbol)
        known, faults = known_topics([c for c in self.market.contracts if c.venue == "okx"]), Faults({})
        return (
            BinanceProtocol(True, no, faults, BinanceLimits()), BinanceProtocol(False, no, faults, BinanceLimits()),
            BybitProtocol(symbols, no, faults, QUICK[0]), OkxProtocol(known, no, faults, QUICK[1]),
        )  # fmt: skip

    def _listen(self) -> dict[str, Ear]:
        um, cm, bybit, okx = self._served
        ears = {
            "um": Ear("/market/ws"),
            "cm": Ear("/ws"),
            "bybit": Ear("/v5/public/linear"),
            "okx": Ear("/ws/v5/public"),
        }
        for protocol, ear in zip(self._served, ears.values(), strict=True):
            protocol.opened(ear)
        um.host.subscribe(ears["um"], "!markPrice@arr@1s")
        for contract in self.market.contracts:
            symbol = contract.symbol
            if contract.venue == "binance":
                host = (um if contract.market == "um" else cm).host
                host.subscribe(ears[contract.market], f"{symbol.lower()}@kline_1m")
            elif contract.venue == "bybit":
                for channel in ("tickers", "kline.1"):
                    bybit.host.subscribe(ears["bybit"], f"{contract.market}/{channel}.{symbol}")
            else:
                named = {"index-tickers": contract.index}
                for channel in ("mark-price", "index-tickers", "open-interest", "candle1m", "funding-rate"):
                    okx.host.subscribe(ears["okx"], f"{channel}:{named.get(channel, symbol)}")
        return ears

    def _sort(self) -> None:
        """Sort what was heard by contract and minute; a push at a full minute shows the one that has just ended."""
        at = (self.market.now - 1) // MINUTE_MS * MINUTE_MS
        for name, ear in self._ears.items():
            for message in ear.heard:
                {"bybit": self._bybit, "okx": self._okx}.get(name, self._binance)(message, at)
            ear.heard.clear()

    def _binance(self, message: Any, at: int) -> None:
        for mark in message if isinstance(message, list) else ():
            minute = self.minutes[self._named["binance", mark["s"]]][at]
            minute.marks.append(float(mark["p"]))
            minute.indexes.append(float(mark["i"]))
            if mark["T"]:
                minute.rates.append(float(mark["r"]))
        if isinstance(message, dict):
            k = message["k"]
            bar = _bar([k["t"], k["o"], k["h"], k["l"], k["c"], k["v"]], k["x"])
            self.minutes[self._named["binance", k["s"]]][bar.start].bars.append(bar)

    def _bybit(self, message: Any, at: int) -> None:
        channel, _, symbol = message["topic"].rpartition(".")
        minutes = self.minutes[self._named["bybit", symbol]]
        if channel == "kline.1":
            for k in message["data"]:
                row = [k["start"], k["open"], k["high"], k["low"], k["close"], k["volume"]]
                minutes[k["start"]].bars.append(_bar(row, k["confirm"]))
            return
        minute = minutes[at]
        for name, values in (("markPrice", minute.marks), ("indexPrice", minute.indexes), ("lastPrice", minute.lasts),
                             ("singleOpenInterest", minute.interest), ("fundingRate", minute.rates)):  # fmt: skip
            if message["data"].get(name):
                values.append(float(message["data"][name]))

    def _okx(self, message: Any, at: int) -> None:
        channel, named, data = message["arg"]["channel"], message["arg"]["instId"], message["data"][0]
        if channel == "index-tickers":
            for contract in (c for c in self.minutes if c.venue == "okx" and c.index == named):
                self.minutes[contract][at].indexes.append(float(data["idxPx"]))
            return
        minutes = self.minutes[self._named["okx", named]]
        if channel == "candle1m":
            minutes[int(data[0])].bars.append(_bar(data, data[8] == "1"))
        elif channel == "mark-price":
            minutes[at].marks.append(float(data["markPx"]))
        elif channel == "open-interest":
            minutes[at].interest.append(float(data["oi"]))
        else:
            minutes[at].rates.append(float(data["fundingRate"]))


def _bar(row: Sequence[Any], closed: bool) -> Bar:
    opened, high, low, close = (float(value) for value in row[1:5])
    return Bar(int(row[0]), opened, high, low, close, float(row[5]) if len(row) > 5 else 0.0, closed)
