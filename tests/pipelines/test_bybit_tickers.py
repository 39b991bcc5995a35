"""Bybit's tickers, in any order and over any number of sessions, say what a plain reading of the venue's rules says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, MarkPrice, OpenInterest
from pipelines.reading.latest import parse_latest
from pipelines.reading.parse import parse_frames
from pipelines.venues.bybit import latest as bybit_latest

NOW_MS = 1_790_000_000_000
FUNDING = ("fundingRate", "nextFundingTime", "fundingIntervalHour")
INTEREST = ("openInterest", "openInterestValue")
PRICE = ("markPrice", "indexPrice")
STATE = (FundingRate, OpenInterest, MarkPrice)
SYMBOLS = {"BTCUSDT": "base", "BTCPERP": "base", "BTCUSD": "usd", "BTCUSDH26": "usd", "BTC-26DEC25": "base"}
Told = dict[tuple[type, str], tuple[int, tuple[Any, ...]]]

fields = st.fixed_dictionaries({}, optional={
    "fundingRate": st.sampled_from(["0.0001", "-0.00005", "0", ""]), "nextFundingTime": st.sampled_from([str(NOW_MS), ""]),
    "fundingIntervalHour": st.sampled_from(["1", "8", "0", ""]), "openInterest": st.sampled_from(["5", "0", "7.5", ""]),
    "openInterestValue": st.sampled_from(["10", "11", ""]), "markPrice": st.sampled_from(["100", "101.5", "0", ""]),
    "indexPrice": st.sampled_from(["99", "98", "0", ""]), "bid1Price": st.just("1"),
})  # fmt: skip
messages = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b"]),
        st.sampled_from(sorted(SYMBOLS)),
        st.integers(0, 9),
        st.integers(0, 30),
        fields,
    ),
    max_size=60,
)


class Plain:
    """One reading of §10: what each session said of each symbol, and the last row of each kind that follows."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        self.told: Told = {}

    def take(self, at: int, session: str, message: dict[str, Any]) -> None:
        said, cs, key = message["data"], message["cs"], (session, message["data"]["symbol"])
        if message["type"] == "snapshot":
            self.held[key] = (cs, said)
        elif key in self.held and cs >= self.held[key][0]:
            self.held[key] = (cs, self.held[key][1] | said)
        else:
            return
        now = self.held[key][1]
        rate, hours, amount, value, mark, index = (
            float(now[name]) if now.get(name) else None for name in (*FUNDING[::2], *INTEREST, *PRICE)
        )
        if rate is not None and said.keys() & set(FUNDING):
            self._tell(FundingRate, key, at, rate, int(now.get("nextFundingTime") or 0) or None, hours or None)
        if amount is not None and said.keys() & set(INTEREST):
            inverse = SYMBOLS[key[1]] == "usd"
            self._tell(OpenInterest, key, at, amount, *((value, amount) if inverse else (None, value)))
        if said.keys() & set(PRICE) and (mark or index):
            self._tell(MarkPrice, key, at, mark or None, index or None)

    def _tell(self, kind: type, key: tuple[str, str], at: int, *values: Any) -> None:
        self.told[kind, key[1]] = (at, values)


def _last(frames: list[RawFrame], read: Any) -> Told:
    told: Told = {}
    for kind, facts in read(frames, {}).facts.items():
        for row, at in zip(facts.rows, facts.frames, strict=True):
            if isinstance(row, FundingRate):
                values: tuple[Any, ...] = (row.funding_rate, row.next_funding_ms, row.interval_hours)
            elif isinstance(row, OpenInterest):
                assert row.unit == SYMBOLS[row.symbol]
                values = (row.open_interest, row.base_given, row.usd_given)
            elif isinstance(row, MarkPrice):
                values = (row.mark_price, row.index_price)
            else:
                continue
            told[kind, row.symbol] = (at, values)
    return told


@pytest.mark.parametrize("read", [parse_frames, parse_latest])
def test_tickers_of_sessions_in_any_order_say_what_a_plain_reading_says(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bybit_latest, "FEWEST", 2)

    @settings(deadline=None, max_examples=200)
    @given(messages)
    def holds(drawn: list[tuple[str, str, int, int, dict[str, str]]]) -> None:
        plain, frames = Plain(), list[RawFrame]()
        for at, (session, symbol, kind, cs, said) in enumerate(drawn):
            data = {"symbol": symbol, **said}
            message = {"type": "snapshot" if kind == 0 else "delta", "data": data, "cs": cs + at, "ts": NOW_MS + at}
            plain.take(at, session, message)
            payload = json.dumps({"topic": f"tickers.{symbol}", **message}).encode()
            frames.append(
                RawFrame("bybit", "tickers", symbol, "ws", NOW_MS * 1_000_000, session, "a", "live", at, payload)
            )
        assert _last(frames, read) == plain.told

    holds()
