"""Bybit kline topic: frames to rows. Facts: exchanges/bybit.md §5 (units as in the REST answer)."""

from collections.abc import Iterator

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Kline, Row
from pipelines.venues.bybit.rest import length
from pipelines.venues.bybit.symbols import is_inverse
from pipelines.venues.wire import BAD, Held, each_raw, horizon_ms, moment, not_negative, number, rejected


class _Candle(msgspec.Struct):
    start: int
    interval: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str
    confirm: bool


class _Message(msgspec.Struct):
    topic: str
    data: list[msgspec.Raw]


_message = msgspec.json.Decoder(_Message).decode
_candle = msgspec.json.Decoder(_Candle).decode


def klines(frame: RawFrame, held: Held) -> list[Row]:
    """Return the candles of a `kline.*` frame, closed or still running."""
    try:
        message = _message(frame.payload)
    except BAD as error:
        return rejected(error)
    symbol, horizon = message.topic.rpartition(".")[2], horizon_ms(frame)

    def read(item: _Candle) -> Iterator[Row]:
        volume, turnover = not_negative(item.volume, "volume"), not_negative(item.turnover, "turnover")
        inverse = is_inverse(symbol)
        yield Kline(
            symbol, moment(item.start, horizon), length(item.interval) or item.interval, "trade",
            number(item.open), number(item.high), number(item.low), number(item.close),
            volume, "usd" if inverse else "base", turnover if inverse else volume, volume if inverse else turnover,
            closed=item.confirm,
        )  # fmt: skip

    return each_raw(message.data, _candle, read)
