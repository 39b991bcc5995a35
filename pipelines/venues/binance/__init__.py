"""Binance USD-M and COIN-M: which function reads which channel. Facts: exchanges/binance.md.

Decided where the sources dispute (`[?]` there), and visible in the row:
- price is the average fill `ap` (price_kind fill_average), the order's limit `p` only without one (order_limit); qty is `z`.
- a message whose status is not FILLED is kept, with its status.
- which one of a second's liquidations is sent, and since when it is one a second, is in completeness (completeness.py).
- USD-M or COIN-M: `st` inside the order, else beside it, else the symbol's form (contract, qty_unit).
- the index stream's pair is `i` or, as one source has it, `s` (symbol of the row).
- contracts that fundingInfo does not name pay every 8 h, once that list was seen (interval_hours, null before).
- open interest: one side or both is not said, so sides is undocumented and nothing is halved.
- old snapshot files, of which nobody says when they ended, are read whenever given: their rows have source import.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pipelines.facts import Instrument
from pipelines.venues.binance import brackets, bulk, dumps, history, latest, rest, streams
from pipelines.venues.binance.guess import answer_of
from pipelines.venues.binance.imports.dump_files import left_out, named_file
from pipelines.venues.binance.symbols import symbol_form
from pipelines.venues.venue import Named, Venue, Versions, always, members
from pipelines.venues.wire import BAD

PARSERS: dict[tuple[str, str], Versions] = {
    ("ws", "forceOrder"): always(streams.liquidations),
    ("ws", "markPrice"): always(streams.mark_prices),
    ("ws", "indexPrice"): always(streams.index_prices),
    ("ws", "kline_*"): always(streams.klines),
    ("ws", "contractInfo"): always(streams.brackets),
    ("rest", "dump_metrics"): always(dumps.metrics),
    ("rest", "dump_fundingRate"): always(dumps.settlements),
    ("rest", "dump_liquidationSnapshot"): always(dumps.liquidations),
    ("rest", "dump_klines"): always(dumps.klines("trade")),
    ("rest", "dump_markPriceKlines"): always(dumps.klines("mark")),
    ("rest", "dump_indexPriceKlines"): always(dumps.klines("index")),
    ("rest", "dump_premiumIndexKlines"): always(dumps.klines("premium")),
    ("rest", "um_takerlongshortRatio"): always(history.taker_ratios),
    ("rest", "cm_takerBuySellVol"): always(history.taker_volumes),
}
for _market in ("um", "cm"):
    PARSERS |= {
        ("rest", f"{_market}_exchangeInfo"): always(rest.instruments),
        ("rest", f"{_market}_openInterest"): always(rest.open_interest),
        ("rest", f"{_market}_premiumIndex"): always(rest.premium_index),
        ("rest", f"{_market}_fundingInfo"): always(rest.funding_intervals),
        ("rest", f"{_market}_fundingRate"): always(rest.settlements),
        ("rest", f"{_market}_leverageBracket"): always(brackets.brackets),
        ("rest", f"{_market}_openInterestHist"): always(history.open_interest(_market)),
        ("rest", f"{_market}_klines"): always(history.klines(_market, "trade")),
        ("rest", f"{_market}_markPriceKlines"): always(history.klines(_market, "mark")),
        ("rest", f"{_market}_indexPriceKlines"): always(history.klines(_market, "index")),
        ("rest", f"{_market}_premiumIndexKlines"): always(history.klines(_market, "premium")),
        ("rest", f"{_market}_globalLongShortAccountRatio"): always(history.ratios("global_accounts")),
        ("rest", f"{_market}_topLongShortAccountRatio"): always(history.ratios("top_accounts")),
        ("rest", f"{_market}_topLongShortPositionRatio"): always(history.ratios("top_positions")),
    }

NOTHING: dict[tuple[str, str], str] = {
    ("ws", "control"): "acknowledgement or error reply",
    **{
        ("ws", channel): f"{channel}: the warehouse keeps no trades, quotes, depth or 24-hour statistics"
        for channel in (
            "trade", "aggTrade", "bookTicker", "depth*", "depthUpdate", "rpiDepth*", "24hrTicker", "24hrMiniTicker",
            "compositeIndex", "assetIndexUpdate", "tradingSession", "continuous_kline*", "indexPrice_kline*",
            "markPrice_kline*",
        )
    },
    ("rest", "um_symbolAdlRisk"): "adl risk: not kept",
    ("rest", "cm_symbolAdlRisk"): "adl risk: not kept",
}  # fmt: skip

CHANNELS = {"markPriceUpdate": "markPrice", "indexPriceUpdate": "indexPrice"}


class _Order(msgspec.Struct):
    s: str = "*"


class _Candle(msgspec.Struct):
    i: str = "?"


class _Event(msgspec.Struct):
    e: str = ""
    s: str = ""
    o: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    k: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    stream: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_event = msgspec.json.Decoder(_Event).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_order = msgspec.json.Decoder(_Order).decode
_candle = msgspec.json.Decoder(_Candle).decode


def channel_of(payload: bytes) -> Named | None:
    """Name a WebSocket message's channel and symbol, bare or combined; None where it is none of Binance's."""
    try:
        inner = payload.lstrip()
        if inner[:1] == b"[":
            channels = {named.channel if named else "" for named in map(_named, map(_event, _raws(inner)))}
            return Named(channel, "*") if len(channels) == 1 and (channel := channels.pop()) else None
        event = _event(inner)
        if event.data is not msgspec.UNSET:
            inner = bytes(event.data)
            wrapped = inner[:1] == b"{" and _event(inner).data is not msgspec.UNSET  # by a recorder, not by Binance
            return None if wrapped else channel_of(inner) or _of_stream(event.stream)
        return _named(event)
    except BAD:
        return None


def _named(event: _Event) -> Named | None:
    if not event.e:
        control = (event.result, event.error, event.code)
        return Named("control", "*") if any(part is not msgspec.UNSET for part in control) else None
    if event.e == "forceOrder" and event.o is not msgspec.UNSET:
        return Named("forceOrder", _order(event.o).s)
    if event.e == "kline" and event.k is not msgspec.UNSET:
        return Named(f"kline_{_candle(event.k).i}", event.s or "*")
    return Named(CHANNELS.get(event.e, event.e), event.s or "*")


def _of_stream(stream: str) -> Named | None:
    """Name the channel of a combined stream whose data do not: btcusdt@kline_1m, !markPrice@arr@1s."""
    before, at, behind = stream.partition("@")
    name = before[1:] if before[:1] == "!" else behind.partition("@")[0]
    return Named(name, "*") if at or before[:1] == "!" else None


def asked_for(message: Mapping[str, Any]) -> list[Named]:
    """Return the streams of a SUBSCRIBE: btcusdt@forceOrder of one contract, !forceOrder@arr of all."""
    given = members(message, "params") if message.get("method") == "SUBSCRIBE" else []
    found = [(stream, _of_stream(stream)) for stream in given if isinstance(stream, str)]
    return [Named(named.channel, "*" if stream[0] == "!" else stream.partition("@")[0].upper())
            for stream, named in found if named]  # fmt: skip


def group_of(contract: Instrument) -> str:
    """Return um or cm: the host whose exchangeInfo lists the contract."""
    return "cm" if contract.contract == "inverse" else "um"


_FIRST = re.compile(rb'"s"\s*:\s*"([^"]+)"')


def archive_of(symbol: str, payload: bytes) -> str:
    """Return binance-futures or binance-delivery: which archive has a contract, or a frame."""
    if symbol == "*" and (first := _FIRST.search(payload)):
        symbol = first[1].decode(errors="replace")
    form = symbol_form(symbol)
    return "binance-delivery" if form and form.quote == "USD" else "binance-futures"


LISTS = {"um_exchangeInfo": ("um",), "cm_exchangeInfo": ("cm",)}
VENUE = Venue(
    "binance", PARSERS, NOTHING, channel_of, symbol_form, LISTS, group_of, answer_of, streams.RULES,
    bulks={("ws", "forceOrder"): bulk.LIQUIDATIONS}, latest={("ws", "markPrice"): latest.mark_prices},
    contract_lists=("um_exchangeInfo", "um_fundingInfo"), margin_tables="um_leverageBracket", unlisted_interval_hours=8.0,
    imports="pipelines.venues.binance.imports.cli", named_file=named_file, left_out=left_out,
    units={"linear": "base", "inverse": "contract"}, price_kind="order_limit", archives=("binance-futures", "binance-delivery"),
    archive_of=archive_of, asked_for=asked_for,
)  # fmt: skip
