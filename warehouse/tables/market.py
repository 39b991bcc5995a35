"""open_interest, mark_prices, klines, long_short_ratios: the state of each market over time."""

from datetime import timedelta

from warehouse.tables.shared import (
    BASE,
    CONTRACT,
    GRID,
    GRID_KEY,
    IDENTITY,
    INSTRUMENT,
    NULL_REASON,
    SYMBOL,
    TRACE,
    TS_EVENT,
    TS_GRID,
    VENUE,
)
from warehouse.tables.table import Column, Table, Touches, by_day

NOT_SENT = "the venue does not send it"
PER_COIN = "quote per coin"

OPEN_INTEREST = Table(
    name="open_interest",
    grain="the last value of a contract in a grid bucket, or one bar of a venue's history (period not null)",
    columns=(
        *IDENTITY,
        CONTRACT,
        TS_GRID,
        TS_EVENT,
        Column("oi_raw", "DOUBLE", "Open interest as sent, in oi_unit", "oi_unit", "frame"),
        Column("oi_unit", "VARCHAR", "Unit of oi_raw: base, contract, usd or quote"),
        Column("sides", "VARCHAR", "What the venue counts: one side, both, or undocumented"),
        Column("oi_base", "DOUBLE", "One side", "coins", "oi_raw, instruments", "see null_reason"),
        Column("oi_usd", "DOUBLE", "One side", "USD", "frame, or oi_raw and contract size",
               "a mark price is needed; the view open_interest_current completes it"),
        Column("period", "VARCHAR", "Length of a history bar (5m, 1h)", source="frame", null_when="a value of now"),
        NULL_REASON,
        *TRACE,
        *GRID,
    ),
    partition=by_day("ts"),
    sort=("venue", "symbol", "ts"),
    key=("venue", "symbol", "period", "ts_event"),
    key_time="ts_event",
    grid_key=GRID_KEY,
    touches=Touches("open_interest", ("ts_event",)),
)  # fmt: skip

MARK_PRICES = Table(
    name="mark_prices",
    grain="the last mark and index price of a contract in a grid bucket; a venue that sends them apart gives two rows",
    columns=(
        *IDENTITY,
        TS_GRID,
        TS_EVENT,
        Column("mark_price", "DOUBLE", "Mark price", PER_COIN, "frame", "the frame carries the index only"),
        Column("index_price", "DOUBLE", "Index price", PER_COIN, "frame", "the frame carries the mark only"),
        Column("multiplier", "INTEGER", "Coins in one quoted unit (1000 for 1000PEPEUSDT): quoted price / price"),
        *TRACE,
        *GRID,
    ),
    partition=by_day("ts"),
    sort=("venue", "symbol", "ts"),
    grid_key=GRID_KEY,
    # a value of open interest takes the last mark of the hour before it
    touches=Touches("open_interest", ("ts_event",), reach=timedelta(hours=1)),
)

KLINES = Table(
    name="klines",
    grain="one candle of a contract; with closed false as it first stood while it ran, to which a closed one is preferred",
    columns=(
        *IDENTITY,
        TS_EVENT._replace(meaning="Open time of the candle"),
        Column("interval", "VARCHAR", "Length of the candle (1m)", source="channel"),
        Column("price_kind", "VARCHAR", "trade, mark, index or premium"),
        *(Column(name, "DOUBLE", f"{name.capitalize()} price, as quoted", "quote per quoted unit", "frame")
          for name in ("open", "high", "low", "close")),
        Column("volume_base", "DOUBLE", "Volume", "coins", "frame, instruments", "not a trade candle"),
        Column("volume_quote", "DOUBLE", "Turnover", "quote", "frame, instruments", "not sent and not derivable"),
        Column("taker_buy_base", "DOUBLE", "Volume bought by takers", "coins", "frame, instruments", NOT_SENT),
        Column("trades", "BIGINT", "Number of trades", source="frame", null_when=NOT_SENT),
        Column("closed", "BOOLEAN", "False where the candle still ran when it was received, or had ended less than 30 s before",
               source="frame, or ts_recv",
               null_when="the venue does not send it and the time of arrival or the interval is not known"),
        *TRACE,
    ),
    partition=by_day("ts_event"),
    sort=("venue", "symbol", "ts_event"),
    key=("venue", "symbol", "interval", "price_kind", "ts_event", "closed"),
    key_time="ts_event",
    touches=Touches("prices", ("ts_event",)),
)  # fmt: skip

LONG_SHORT_RATIOS = Table(
    name="long_short_ratios",
    grain="one ratio of one kind and period; taker volumes that still ran (closed false) as they first stood",
    columns=(
        VENUE,
        SYMBOL._replace(meaning="Contract, pair or coin in the venue's own spelling; see scope"),
        INSTRUMENT._replace(null_when="scope is not symbol, or the contract is not known"),
        BASE,
        TS_EVENT,
        Column("kind", "VARCHAR", "global_accounts, top_accounts, top_positions or taker"),
        Column("period", "VARCHAR", "Length of the period (5m)", source="channel or frame", null_when=NOT_SENT),
        Column("ratio", "DOUBLE", "Long / short", source="frame", null_when="not sent and not derivable"),
        Column("long_share", "DOUBLE", "Long share; with short_share sums to 1", "fraction", "frame or ratio",
               "not sent and not derivable"),
        Column("short_share", "DOUBLE", "Short share", "fraction", "frame or ratio", "not sent and not derivable"),
        Column("long_volume", "DOUBLE", "Volume bought by takers", "unit", "frame", "kind is not taker"),
        Column("short_volume", "DOUBLE", "Volume sold by takers", "unit", "frame", "kind is not taker"),
        Column("unit", "VARCHAR", "Unit of the volumes: base, contract, usd or quote", null_when="kind is not taker"),
        Column("scope", "VARCHAR", "What symbol names: symbol, pair or coin"),
        Column("closed", "BOOLEAN", "False for taker volumes whose period still ran when they were received",
               source="ts_recv, period", null_when="of taker volumes where the period or the time of arrival is not known"),
        *TRACE,
    ),
    partition=by_day("ts_event"),
    sort=("venue", "symbol", "ts_event"),
    key=("venue", "symbol", "kind", "period", "ts_event", "closed"),
    key_time="ts_event",
)  # fmt: skip
