"""What a frame can say, venue by venue alike: the facts a parser yields, before instruments are joined to them.

Times are the exchange's own, UTC milliseconds since 1970. Numbers are float, parsed from the exchange's text. A field the
venue did not send is None. `normalise.py` turns these into the columns of the warehouse's tables.
"""

from typing import Literal

import msgspec

Contract = Literal["linear", "inverse"]
Unit = Literal["base", "contract", "usd", "quote", "unknown"]
Side = Literal["buy", "sell"]
Position = Literal["long", "short"]


class Row(msgspec.Struct, gc=False):
    """Base of all facts. `symbol` is the venue's spelling."""


class Liquidation(Row):
    """One liquidation as the venue reports it.

    `order_side`: side of the order that closed the position; `position_side`: whose position was closed; a venue names
    one, the other is its opposite; both None where what it says is not proven. `qty` is in `unit`. `price_kind`:
    fill_average, order_limit, bankruptcy, mark, acquired, okx_bkPx. `order_price`: the order's own limit, where `price` is not
    it. `identity`: the venue's natural fields as text, `occurrence` counts identical ones inside a frame from 0.
    `unproven`: what is left open of it, and what was sent. `id`: the venue's own, where it has one.
    """

    symbol: str
    ts_event: int
    order_side: Side | None
    position_side: Position | None
    price: float | None
    price_kind: str
    qty: float
    unit: Unit
    contract: Contract | None
    completeness: str
    identity: str
    occurrence: int = 0
    order_price: float | None = None
    status: str | None = None
    unproven: str | None = None
    id: str | None = None


SumUnit = Literal["usd", "base"]


class AggregatedLiquidations(Row):
    """What a vendor says was liquidated in a period, of each side, over all the liquidations it knows of `symbol`.

    `symbol`: a coin, or a contract in the vendor's spelling. `ts_event`: start of the period. `long` and `short` are in `unit`.
    `provider`: who says it; `own`: a person's own table.
    """

    symbol: str
    ts_event: int
    provider: str
    period: str
    long: float
    short: float
    unit: SumUnit


class LiquidationReport(Liquidation):
    """The same liquidation as a venue's second source has it: kept beside the others, counted in none of their sums."""


class AccountPosition(Row):
    """A position of one account, as the venue says of it at `ts_event`; an account without any is a row of symbol `*`, qty 0.

    An answer names every position of its account, so what a later one does not name is closed. `qty` is in `unit`; prices per
    unit that is quoted. `liquidation_price`: None where no price would liquidate it. `usd`: what the venue says it is worth.
    `margin`: cross (the account's other positions count) or isolated.
    """

    symbol: str
    ts_event: int
    account: str
    position_side: Position | None
    qty: float
    unit: Unit
    contract: Contract | None
    entry_price: float | None = None
    liquidation_price: float | None = None
    usd: float | None = None
    leverage: float | None = None
    margin: str | None = None


class FundingRate(Row):
    """The running estimate for the period that ends at `next_funding_ms`; `funding_rate` is per `interval_hours`."""

    symbol: str
    ts_event: int
    funding_rate: float
    next_funding_ms: int | None = None
    interval_hours: float | None = None


class FundingSettlement(Row):
    """A rate that was paid at `ts_event`."""

    symbol: str
    ts_event: int
    funding_rate: float
    interval_hours: float | None = None
    mark_price: float | None = None
    rate_type: str | None = None


class OpenInterest(Row):
    """Open interest as sent, in `unit`. `sides`: one, both or undocumented, what the venue counts.

    `base_given`, `usd_given`: the same amount where the venue itself also gives it so. `period`: length of a history bar
    (`unknown` where the record does not say), None for a value of now.
    """

    symbol: str
    ts_event: int
    open_interest: float
    unit: Unit
    sides: Literal["one", "both", "undocumented"]
    contract: Contract | None = None
    base_given: float | None = None
    usd_given: float | None = None
    period: str | None = None


class MarkPrice(Row):
    """Mark and index price; one may be None where a frame carries the other only."""

    symbol: str
    ts_event: int
    mark_price: float | None = None
    index_price: float | None = None


class Kline(Row):
    """A candle of `interval`, from `ts_event` (its open time). `kind`: trade, mark, index or premium.

    `volume` is in `volume_unit`; `closed` False for a candle still running, None where the venue does not say.
    """

    symbol: str
    ts_event: int
    interval: str
    kind: Literal["trade", "mark", "index", "premium"]
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None
    volume_unit: Unit | None = None
    volume_base: float | None = None
    volume_quote: float | None = None
    taker_buy_volume: float | None = None
    trades: int | None = None
    closed: bool | None = None


class LongShortRatio(Row):
    """`kind`: global_accounts, top_accounts, top_positions or taker. Shares sum to 1; `ratio` = long / short.

    For taker, `long_volume` is bought and `short_volume` sold, in `unit`. `symbol` is a pair or a coin where the venue
    gives no finer figure; `scope` then says pair or coin.
    """

    symbol: str
    ts_event: int
    kind: Literal["global_accounts", "top_accounts", "top_positions", "taker"]
    period: str | None
    ratio: float | None = None
    long_share: float | None = None
    short_share: float | None = None
    long_volume: float | None = None
    short_volume: float | None = None
    unit: Unit | None = None
    scope: Literal["symbol", "pair", "coin"] = "symbol"


class Instrument(Row):
    """A contract as the venue lists it at the frame's time.

    `base` without a multiplier prefix (PEPE for 1000PEPEUSDT, `multiplier` 1000). `contract_size`: in base coin (before
    the multiplier) for linear, USD for inverse, per contract. `family`: what contracts of one underlying and
    settlement share (BTC-USD, BTCUSD). `pays_funding`: perpetual or perpetual-like.
    """

    symbol: str
    instrument: str
    base: str
    quote: str
    settle: str
    contract: Contract
    kind: Literal["perpetual", "delivery"]
    contract_size: float
    multiplier: int
    status: str
    family: str
    pays_funding: bool
    asset_class: str = "crypto"
    listed_ms: int | None = None
    expiry_ms: int | None = None
    interval_hours: float | None = None


class FundingInterval(Row):
    """A venue's word on how often a contract pays funding, where its instrument list does not say."""

    symbol: str
    interval_hours: float


class LeverageTier(Row):
    """A step of a contract's margin table, valid from the frame's time. Floors and caps are in `unit`."""

    symbol: str
    tier: int
    floor: float
    cap: float | None
    unit: Unit
    maintenance_margin_rate: float
    initial_margin_rate: float | None
    max_leverage: float
    deduction: float | None = None


class Rejected(Row):
    """A frame, or one item of it, that should be a row and cannot be: becomes a dead letter. `item`: data[2], or ""."""

    reason: str
    item: str = ""


class Nothing(Row):
    """A frame known to carry no row, named: an acknowledgement, a channel the warehouse does not keep."""

    reason: str
