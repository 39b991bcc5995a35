"""OKX v5 REST market data, answered from the market. Facts: exchanges/okx.md §3 to §9."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from collectors.simulator.budgets import Window
from collectors.simulator.candles import Candle, Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.history import DAY_MS, HOUR_MS, MINUTE_MS
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.truth import Shown
from collectors.venues.okx.simulator import frames
from collectors.venues.okx.simulator.server import INST_TYPES, refusal

Query = dict[str, str]
BARS_MS = {
    "1m": MINUTE_MS, "3m": 3 * MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS,
    "1H": HOUR_MS, "2H": 2 * HOUR_MS, "4H": 4 * HOUR_MS, "6H": 6 * HOUR_MS, "12H": 12 * HOUR_MS, "1D": DAY_MS,
    "6Hutc": 6 * HOUR_MS, "12Hutc": 12 * HOUR_MS, "1Dutc": DAY_MS,
}  # fmt: skip
CHINA_MS = 8 * HOUR_MS
ENTRIES = 1440
KEPT = 10_000
"""Liquidations of a contract."""
TIERS = ((1000, 0.004, 0.01), (5000, 0.01, 0.02), (20000, 0.02, 0.04), (60000, 0.05, 0.1))


class BadRequestError(Exception):
    """A request OKX answers with HTTP 400 or 200, a code and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Endpoint(NamedTuple):
    """`limit` requests in 2 s; per value of the parameter `per` beside the address, where it is given."""

    answer: Callable[[Query], list[Any]]
    limit: int
    per: str = ""


class OkxRest:
    """REST of the one host."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._contracts = {c.symbol: c for c in market.contracts if c.venue == "okx"}
        self.liquidated: dict[str, deque[tuple[Liquidation, Shown]]] = defaultdict(lambda: deque(maxlen=KEPT))
        """What was pushed of each contract, oldest first."""
        self._windows: dict[tuple[str, str], Window] = {}
        self._endpoints = self._table()

    def __call__(self, path: str, query: Query) -> Answer:
        """Answer a GET request; OKX says by `code` whether it worked."""
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return json_answer(
                {"code": "404", "data": {}, "detailMsg": "", "error_code": "404", "msg": "Not Found"}, 404
            )
        window = self._windows.setdefault((path, query.get(endpoint.per, "")), Window(endpoint.limit, 2.0))
        if not window.take(time.monotonic()):
            return refusal("http_429")
        try:
            return json_answer({"code": "0", "msg": "", "data": endpoint.answer(query)})
        except BadRequestError as error:
            status = 200 if error.code == "51001" else 400
            return json_answer({"code": error.code, "msg": str(error), "data": []}, status)

    def _table(self) -> dict[str, _Endpoint]:
        public, market, rubik = "/api/v5/public/", "/api/v5/market/", "/api/v5/rubik/stat/"
        contracts = rubik + "contracts/"
        return {
            public + "time": _Endpoint(lambda _: [{"ts": str(self._market.now)}], 10),
            public + "instruments": _Endpoint(lambda q: [frames.instrument(c) for c in self._typed(q)], 20, "instType"),
            public + "funding-rate": _Endpoint(self._funding_rate, 10, "instId"),
            public + "funding-rate-history": _Endpoint(self._funding_history, 10, "instId"),
            public + "open-interest": _Endpoint(self._states(frames.open_interest), 20, "instId"),
            public + "mark-price": _Endpoint(self._states(frames.mark_price), 10, "instId"),
            public + "position-tiers": _Endpoint(self._tiers, 10),
            public + "liquidation-orders": _Endpoint(self._liquidations, 40),
            market + "index-tickers": _Endpoint(self._index_tickers, 20),
            market + "candles": _Endpoint(self._candles("trade", 300), 40),
            market + "history-candles": _Endpoint(self._candles("trade", 300), 20),
            market + "mark-price-candles": _Endpoint(self._candles("mark", 100), 20),
            market + "history-mark-price-candles": _Endpoint(self._candles("mark", 100), 10),
            market + "index-candles": _Endpoint(self._candles("index", 100), 20),
            market + "history-index-candles": _Endpoint(self._candles("index", 100), 10),
            contracts + "open-interest-history": _Endpoint(self._open_interest_history, 10, "instId"),
            contracts + "open-interest-volume": _Endpoint(self._open_interest_volume, 5),
            contracts + "long-short-account-ratio": _Endpoint(self._ratio("accounts"), 5),
            contracts + "long-short-account-ratio-contract": _Endpoint(self._ratio("accounts"), 5, "instId"),
            contracts + "long-short-account-ratio-contract-top-trader": _Endpoint(self._ratio("top"), 5, "instId"),
            contracts + "long-short-position-ratio-contract-top-trader": _Endpoint(
                self._ratio("positions"), 5, "instId"
            ),
            rubik + "taker-volume-contract": _Endpoint(self._taker, 5, "instId"),
            "/api/v5/system/status": _Endpoint(lambda _: [], 1),
        }

    def _funding_rate(self, query: Query) -> list[dict[str, str]]:
        if query.get("instId") == "ANY":
            return [frames.funding_rate(c, self._market) for c in self._contracts.values() if c.interval_ms]
        contract = self._contract(query)
        if not contract.interval_ms:
            raise _unknown(contract.symbol)
        return [frames.funding_rate(contract, self._market)]

    def _funding_history(self, query: Query) -> list[dict[str, str]]:
        contract, now = self._contract(query), self._market.now
        after, before = _int(query, "after", now + 1), _int(query, "before", now - 92 * DAY_MS)
        paid = self._market.history.settlements(contract, max(before + 1, now - 92 * DAY_MS), min(after - 1, now))
        return [
            {"formulaType": "withRate", "fundingRate": f"{s.rate * 1.00001:.16f}", "fundingTime": str(s.ts),
             "instId": contract.symbol, "instType": contract.market, "method": "current_period",
             "realizedRate": f"{s.rate:.16f}"}
            for s in paid[::-1][: _limit(query, 400)]
        ]  # fmt: skip

    def _states(self, frame: Callable[..., dict[str, str]]) -> Callable[[Query], list[dict[str, str]]]:
        def answer(query: Query) -> list[dict[str, str]]:
            return [frame(c, self._market.quotes[c], self._market.now) for c in self._typed(query)]

        return answer

    def _tiers(self, query: Query) -> list[dict[str, str]]:
        if query.get("tdMode") not in ("cross", "isolated"):
            raise BadRequestError("51000", "Parameter tdMode error")
        families = query.get("instFamily", "").split(",")
        if families == [""] or len(families) > 5:
            raise BadRequestError("50014", "Parameter instFamily can not be empty.")
        found = {c.index: c for c in self._typed({"instType": query.get("instType", "")}) if c.index in families}
        return [row for contract in found.values() for row in _tiers_of(contract)]

    def _liquidations(self, query: Query) -> list[dict[str, Any]]:
        """Return what was pushed of a family, newest first by its own time, in pages by `after` and `before`."""
        if not (query.get("instFamily") or query.get("uly")):
            raise BadRequestError("51000", "Parameter instFamily can not be empty.")
        after, before = _int(query, "after", self._market.now + 1), _int(query, "before", 0)
        found = [each for c in self._typed(query) for each in self.liquidated[c.symbol] if before < each[0].ts < after]
        found = sorted(found, key=lambda each: each[0].ts, reverse=True)[: _limit(query, 100)]
        for _, shown in found:  # who asks is told of it as who listens is
            shown.receivers = max(shown.receivers, 1)
        return frames.liquidation_orders([one for one, _ in found])

    def _index_tickers(self, query: Query) -> list[dict[str, str]]:
        wanted, quote = query.get("instId"), query.get("quoteCcy")
        if wanted is None and quote is None:
            raise BadRequestError("50015", "Either parameter instId or quoteCcy is required.")
        found = {c.index: c for c in self._contracts.values() if c.index == wanted or (not wanted and c.quote == quote)}
        if wanted and not found:
            raise _unknown(wanted)
        market = self._market
        return [frames.index_ticker(c, market.quotes[c], market.history, market.now) for c in found.values()]

    def _candles(self, kind: Kind, most: int) -> Callable[[Query], list[list[str]]]:
        def answer(query: Query) -> list[list[str]]:
            contract = self._contract(query, index=kind == "index")
            stamps = self._stamps(query, query.get("bar", "1m"), most, "after", "before")
            width = BARS_MS[query.get("bar", "1m")]
            return [frames.candle(contract, self._market, ts, width, kind) for ts in stamps]

        return answer

    def _open_interest_history(self, query: Query) -> list[list[str]]:
        contract, history, rows = self._contract(query), self._market.history, []
        for ts in self._periods(query):
            coins, price = history.open_interest(contract, ts), history.mark(contract, ts)
            rows.append(
                [str(ts), f"{contract.units(coins * price, price):.8f}", f"{coins:.8f}", f"{coins * price:.8f}"]
            )
        return rows

    def _open_interest_volume(self, query: Query) -> list[list[str]]:
        contracts, history, rows = self._of_coin(query), self._market.history, []
        width = BARS_MS.get(query.get("period", "5m"), 0)
        for ts in self._periods(query):
            price = history.price(contracts[0].coin, ts)
            usd = price * sum(history.open_interest(c, ts) for c in contracts)
            traded = price * sum(self._traded(c, ts, width).coins for c in contracts)
            rows.append([str(ts), f"{usd:.4f}", f"{traded:.4f}"])
        return rows

    def _ratio(self, kind: str) -> Callable[[Query], list[list[str]]]:
        def answer(query: Query) -> list[list[str]]:
            coin = (self._of_coin(query)[0] if "ccy" in query else self._contract(query)).coin
            shares = [(ts, self._market.history.long_share(coin, ts, kind)) for ts in self._periods(query)]
            return [[str(ts), f"{share / (1 - share):.4f}"] for ts, share in shares]

        return answer

    def _taker(self, query: Query) -> list[list[str]]:
        """Sold before bought; `unit` 0 coins, 1 contracts (default), 2 USD."""
        contract, history = self._contract(query), self._market.history
        width, unit, rows = BARS_MS.get(query.get("period", "5m"), 0), query.get("unit", "1"), []
        for ts in self._periods(query):
            candle = self._traded(contract, ts, width)
            coins, price, buys = candle.coins, candle.close, history.taker_buy_share(candle)
            amount = {"0": coins, "2": coins * price}.get(unit, contract.units(coins * price, price))
            rows.append([str(ts), f"{amount * (1 - buys):.4f}", f"{amount * buys:.4f}"])
        return rows

    def _traded(self, contract: Contract, ts: int, width: int) -> Candle:
        return self._market.history.candle(contract, "trade", ts, width, self._market.now)

    def _periods(self, query: Query) -> list[int]:
        stamps = self._stamps(query, query.get("period", "5m"), 100, "end", "begin")
        oldest = self._market.now - ENTRIES * BARS_MS[query.get("period", "5m")]
        return [ts for ts in stamps if ts >= oldest]

    def _stamps(self, query: Query, bar: str, most: int, older: str, newer: str) -> list[int]:
        """Return opening times, newest first; bars of six hours and more are cut at UTC+8 unless they say utc."""
        if bar not in BARS_MS:
            raise BadRequestError("51000", "Parameter bar error")
        width, now = BARS_MS[bar], self._market.now
        shift = CHINA_MS if width >= 6 * HOUR_MS and not bar.endswith("utc") else 0
        newest = min(now, _int(query, older, now + 1) - 1)
        newest -= (newest + shift) % width
        stamps = range(newest, newest - width * _limit(query, most), -width)
        return [ts for ts in stamps if ts > _int(query, newer, 0)]

    def _typed(self, query: Query) -> Iterable[Contract]:
        inst_type, inst_id = query.get("instType", ""), query.get("instId")
        if inst_type not in INST_TYPES:
            raise BadRequestError("51000", "Parameter instType error")
        if inst_id and inst_id not in self._contracts:
            raise _unknown(inst_id)
        family = query.get("instFamily") or query.get("uly")
        for contract in self._contracts.values():
            right = contract.market == inst_type and family in (None, contract.index)
            if right and inst_id in (None, contract.symbol):
                yield contract

    def _contract(self, query: Query, index: bool = False) -> Contract:
        name = query.get("instId")
        if not name:
            raise BadRequestError("50014", "Parameter instId can not be empty.")
        found = next((c for c in self._contracts.values() if name == (c.index if index else c.symbol)), None)
        if found is None:
            raise _unknown(name)
        return found

    def _of_coin(self, query: Query) -> list[Contract]:
        found = [c for c in self._contracts.values() if c.coin.name == query.get("ccy")]
        if not found:
            raise BadRequestError("51000", "Parameter ccy error")
        return found


def _unknown(name: str) -> BadRequestError:
    return BadRequestError("51001", f"Instrument ID, Instrument ID code, or Spread ID {name} doesn't exist.")


def _int(query: Query, name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.lstrip("-").isdigit():
        raise BadRequestError("51000", f"Parameter {name} error")
    return int(text)


def _limit(query: Query, most: int) -> int:
    return max(1, min(_int(query, "limit", most), most))


def _tiers_of(contract: Contract) -> list[dict[str, str]]:
    rows, floor = [], 0
    for number, (cap, mmr, imr) in enumerate(TIERS, 1):
        rows.append({
            "baseMaxLoan": "", "imr": f"{imr:g}", "instFamily": contract.index, "instId": "",
            "maxLever": f"{1 / imr:g}", "maxSz": str(cap), "minSz": str(floor), "mmr": f"{mmr:g}", "optMgnFactor": "0",
            "quoteMaxLoan": "",
            "tier": str(number), "uly": contract.index,
        })  # fmt: skip
        floor = cap + 1
    return rows
