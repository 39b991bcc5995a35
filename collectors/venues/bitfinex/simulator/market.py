"""Bitfinex: what is listed, pushed and answered. Facts: exchanges/bitfinex.md §2, §3."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query
from collectors.venues.bitfinex.history import LENGTHS
from collectors.venues.bitfinex.simulator.server import CHANNEL, KEY, BitfinexLimits, refusal, tell

SHOWS = Shows("bankruptcy", twins=True)
COINS = {"DOGE": "DOG"}
CHANNEL_NAME = "status-liq-global"
KEPT, MOST, SNAPSHOT = 5000, 500, 20
TIME = 2
FIRST_ID = 143_000_000


def contract(traded: Traded) -> Contract | None:
    """Return the contract, a perpetual in USDT; None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    symbol = f"t{COINS.get(traded.coin.name, traded.coin.name)}F0:USTF0"
    return traded.contract("bitfinex", "futures", symbol, SHOWS, 1.0, step=0.0001 if traded.coin.price > 1 else 1.0)


class Positions:
    """Writes a trigger for each liquidation and an execution behind it, and keeps the latest rows."""

    def __init__(self) -> None:
        self.rows: deque[list[Any]] = deque(maxlen=KEPT)
        self._ids = count(FIRST_ID)

    def frames(self, happened: Sequence[Liquidation], _now: int) -> Iterator[Pushed]:
        """Yield a frame of the triggers, and one of their executions."""
        if happened:
            ids = [next(self._ids) for _ in happened]
            yield self._frame([_row(id, one, 0) for id, one in zip(ids, happened, strict=True)], happened)
            yield self._frame([_row(id, one, 1) for id, one in zip(ids, happened, strict=True)])

    def past(self, query: Query) -> list[list[Any]]:
        """Return the rows that are asked for, newest first."""
        since, until, most = int(query.get("start", 0)), int(query.get("end", 1 << 60)), int(query.get("limit", MOST))
        return [row for row in reversed(self.rows) if since <= row[TIME] <= until][: min(most, MOST)]

    def _frame(self, rows: list[list[Any]], shows: Sequence[Liquidation] = ()) -> Pushed:
        self.rows.extend(rows)
        return Pushed(KEY, CHANNEL_NAME, orjson.dumps([CHANNEL, rows]), shows)

    def greet(self, client: Client) -> int:
        """Send a newcomer the latest rows; return to how many it went."""
        return int(tell(client, orjson.dumps([CHANNEL, list(self.rows)[-SNAPSHOT:]])))


def _row(id: int, one: Liquidation, is_match: int) -> list[Any]:
    amount = float(one.qty) * (1 if one.position == "long" else -1)
    entry = float(one.mark) * (1.1 if one.position == "long" else 0.9)
    price = float(one.fill if is_match else one.bankruptcy)
    return ["pos", id, one.ts, None, one.contract.symbol, amount, entry, None, is_match, 1, None, price]


def endpoints(market: Market, own: Sequence[Contract], positions: Positions, limits: BitfinexLimits) -> Endpoints:
    """Return its REST: contracts, the state of all of them, the latest liquidations."""
    pairs = [each.symbol.removeprefix("t") for each in own]
    paths: dict[str, Callable[[Query], Answer]] = {
        "/v2/conf/pub:list:pair:futures": lambda _: json_answer([pairs]),
        "/v2/status/deriv": lambda _: json_answer([_status(market, each) for each in own]),
        "/v2/liquidations/hist": lambda query: json_answer([[row] for row in positions.past(query)]),
        **{
            f"/v2/candles/trade:{name}:{each.symbol}/hist": partial(_candles, market, each, LENGTHS_MS[length])
            for each in own for length, name in LENGTHS.items()
        },
    }  # fmt: skip
    unknown = json_answer(["error", 10020, "not found"], 404)
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), unknown)


def _candles(market: Market, each: Contract, width: int, query: Query) -> Answer:
    found = bars(market, each, width, int(query["start"]), int(query["end"]), min(int(query.get("limit", 100)), 10_000))
    told = [[bar.start, *map(float, (bar.open, bar.close, bar.high, bar.low)), round(bar.volume, 8)] for bar in found]
    return json_answer(told[::-1])


def _status(market: Market, each: Contract) -> list[Any]:
    quote = market.quotes[each]
    row: list[Any] = [None] * 24
    row[0], row[1], row[3], row[4] = each.symbol, market.now, quote.last, quote.index
    row[8], row[9], row[12], row[16], row[18] = (
        quote.next_funding_ms, quote.funding, quote.funding, quote.mark, quote.open_interest,
    )  # fmt: skip
    row[15] = quote.mark
    return row
