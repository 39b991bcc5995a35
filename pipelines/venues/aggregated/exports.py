"""Answers of CoinGlass (liquidation history of a coin) and of Coinalyze (liquidation-history), and what they say."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, get_args

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import AggregatedLiquidations, Row, SumUnit
from pipelines.venues.tables import time_ms
from pipelines.venues.venue import Answered
from pipelines.venues.wire import (
    BAD,
    Held,
    Text,
    each_raw,
    horizon_ms,
    moment,
    not_negative,
    parameter,
    rejected,
    symbol_of,
)

COINGLASS, COINALYZE = "coinglass_liquidations", "coinalyze_liquidations"
LONGS = ("aggregated_long_liquidation_usd", "long_liquidation_usd", "longLiquidationUsd", "longVolUsd")
SHORTS = ("aggregated_short_liquidation_usd", "short_liquidation_usd", "shortLiquidationUsd", "shortVolUsd")
TIMES = ("time", "t", "createTime")
"""What the versions of CoinGlass' interface call them, the newest first."""
LENGTHS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}

_answers = msgspec.json.Decoder(list[msgspec.Raw]).decode
_row = msgspec.json.Decoder(dict[str, Any]).decode


class _Enveloped(msgspec.Struct):
    data: list[msgspec.Raw]


class _Bar(msgspec.Struct):
    t: Text
    l: Text  # noqa: E741 as it is called there
    s: Text


class _Answer(msgspec.Struct):
    symbol: str
    history: list[_Bar]


_answer = msgspec.json.Decoder(_Answer).decode
_enveloped = msgspec.json.Decoder(_Enveloped).decode


def answer_of(payload: bytes) -> Answered | None:
    """Name an answer by its form; None where it is neither's."""
    try:
        rows = _rows(payload)
        first = _row(rows[0])
        if {"symbol", "history"} <= set(first):
            return Answered(COINALYZE, "*")
        for names in (TIMES, LONGS, SHORTS):
            _value(first, names)
    except (*BAD, IndexError):
        return None
    return Answered(COINGLASS, "?")


def coinglass(frame: RawFrame, held: Held) -> list[Row]:
    """Read liquidations per period of the coin that the record is of, in USD."""
    try:
        symbol, rows, horizon = symbol_of(frame), _rows(frame.payload), horizon_ms(frame)
    except BAD as error:
        return rejected(error)
    period = _said(frame)[1] or spacing(list(_times(rows)))

    def read(row: dict[str, Any]) -> Iterator[Row]:
        long, short = (not_negative(_value(row, names), names[0]) for names in (LONGS, SHORTS))
        at = moment(time_ms(str(_value(row, TIMES))), horizon)
        yield AggregatedLiquidations(symbol, at, "coinglass", period, long, short, "usd")

    return each_raw(rows, _row, read)


def _times(rows: Sequence[msgspec.Raw]) -> Iterator[int]:
    """Yield the times of the rows that have one."""
    for row in rows:
        with suppress(*BAD):
            yield time_ms(str(_value(_row(row), TIMES)))


def coinalyze(frame: RawFrame, held: Held) -> list[Row]:
    """Read liquidations per period of each contract; in coins, but where whoever imported them said USD."""
    unit, given = _said(frame)
    horizon = horizon_ms(frame)
    try:
        answers = _answers(frame.payload)
    except BAD as error:
        return rejected(error)

    def read(answer: _Answer) -> Iterator[Row]:
        period = given or spacing([time_ms(str(bar.t)) for bar in answer.history])
        for bar in answer.history:
            at = moment(time_ms(str(bar.t)), horizon)
            long, short = not_negative(bar.l, "l"), not_negative(bar.s, "s")
            yield AggregatedLiquidations(answer.symbol, at, "coinalyze", period, long, short, unit)

    return each_raw(answers, _answer, read)


def _rows(payload: bytes) -> list[msgspec.Raw]:
    """Return the items of a list, or of the list `data` of an object. Raises BAD."""
    return _answers(payload) if payload.lstrip()[:1] == b"[" else _enveloped(payload).data


def _value(row: dict[str, Any], names: Sequence[str]) -> Text:
    """Return the value of the first of the names that there is. Raises ValueError where there is none, or no number."""
    name = next((name for name in names if name in row), None)
    if name is None:
        raise ValueError(f"a period without {' or '.join(names)}")
    if not isinstance(value := row[name], str | int | float):
        raise ValueError(f"{name} is {value!r}")
    return value


def _said(frame: RawFrame) -> tuple[SumUnit, str | None]:
    """Return the unit and the period behind the channel's `@`: usd,1h."""
    unit, _, period = (parameter(frame) or "").partition(",")
    known: tuple[SumUnit, ...] = get_args(SumUnit)
    return next((each for each in known if each == unit), "base"), period or None


def spacing(times: Sequence[int]) -> str:
    """Return the smallest distance of two times, milliseconds, as 30m, 1h, 1d; unknown where there is none."""
    gap = min((after - before for before, after in pairwise(sorted(set(times)))), default=0)
    unit = next((name for name in ("d", "h", "m") if gap and gap % LENGTHS[name] == 0), None)
    return f"{gap // LENGTHS[unit]}{unit}" if unit else "unknown"
