"""prices_1h, prices_1d, open_interest_1h: bars of prices and open interest, for windows too long to read by the minute."""

from warehouse.tables.shared import CONTRACT, IDENTITY
from warehouse.tables.table import Column, Table, by_month

_RECV_LAST = Column("recv_last", "TIMESTAMP", "When the last row the bar stands on arrived", "UTC", "ts_recv")
_QUOTED = "quote per quoted unit"
_PRICES = (
    Column("open", "DOUBLE", "First trade price, as quoted", _QUOTED, "klines"),
    Column("high", "DOUBLE", "Highest", _QUOTED, "klines"),
    Column("low", "DOUBLE", "Lowest", _QUOTED, "klines"),
    Column("close", "DOUBLE", "Last one known", _QUOTED, "klines"),
    Column("volume_base", "DOUBLE", "Volume of the closed minutes", "coins", null_when="no closed minute has one"),
    Column("volume_quote", "DOUBLE", "Turnover of the closed minutes", "quote", null_when="no closed minute has one"),
    Column("taker_buy_base", "DOUBLE", "Volume bought by takers", "coins", null_when="the venue does not send it"),
    Column("trades", "BIGINT", "Number of trades", null_when="the venue does not send it"),
    Column("minutes", "BIGINT", "Closed minutes the bar stands on", "min"),
    Column("last_minute", "TIMESTAMP", "Open time of the last minute known", "UTC"),
    Column("closed", "BOOLEAN", "Whether the bar's last minute is there and closed, so that close is final"),
    _RECV_LAST,
)


def _prices(name: str, time: str, length: str, partition: tuple[str, ...]) -> Table:
    return Table(
        name=name,
        grain=f"the trade prices of one contract in one {length}; none known: no row",
        columns=(Column(time, "TIMESTAMP", f"Start of the {length}", "UTC", "ts_event"), *IDENTITY, *_PRICES),
        partition=partition,
        sort=("venue", "symbol", time),
        append_only=False,
    )


PRICES_1H = _prices("prices_1h", "hour", "hour", by_month("hour"))
PRICES_1D = _prices("prices_1d", "day", "day (UTC)", ())


def _ohlc(measure: str, unit: str, null_when: str) -> tuple[Column, ...]:
    names = (("open", "First"), ("high", "Highest"), ("low", "Lowest"), ("close", "Last"))
    return tuple(
        Column(f"{name}_{measure}", "DOUBLE", f"{word} value, one side", unit, "open_interest", null_when)
        for name, word in names
    )


OPEN_INTEREST_1H = Table(
    name="open_interest_1h",
    grain="the open interest of one contract in one hour; none known: no row",
    columns=(
        Column("hour", "TIMESTAMP", "Start of the hour, by the exchange's clock", "UTC", "ts_event"),
        *IDENTITY,
        CONTRACT,
        Column("sides", "VARCHAR", "What the venue counts: one side, both (halved here), or undocumented"),
        *_ohlc("base", "coins", "neither coins nor dollars and a mark price are known"),
        *_ohlc("usd", "USD", "neither dollars nor coins and a mark price are known"),
        Column("samples", "BIGINT", "Values the bar stands on", "rows"),
        Column("first_ts", "TIMESTAMP", "Time of the first of them", "UTC"),
        Column("last_ts", "TIMESTAMP", "Time of the last of them", "UTC"),
        _RECV_LAST,
    ),
    partition=by_month("hour"),
    sort=("venue", "symbol", "hour"),
    append_only=False,
)  # fmt: skip
