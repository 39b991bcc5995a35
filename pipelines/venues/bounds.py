"""What a number or a text may be, as data: beyond these bounds no market is, so what says so is wrong.

A bound is not what is usual. It is wide enough that no contract of any venue comes near it, and narrow enough that sums,
products and squares of what is within stay numbers. What is beyond is a dead letter that names the bound.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from collectors.printable import UNPRINTABLE, printable
from pipelines.facts import (
    AccountPosition,
    AggregatedLiquidations,
    FundingInterval,
    FundingRate,
    FundingSettlement,
    Instrument,
    Kline,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    MarkPrice,
    OpenInterest,
    Row,
)  # fmt: skip

Answer = TypeVar("Answer")


class Bound(NamedTuple):
    """`least` and `most` are possible themselves. `reason`: why nothing real is beyond."""

    name: str
    least: float
    most: float
    unit: str
    reason: str


# fmt: off
PRICE = Bound("price", 1e-15, 1e12, "quote per unit",
              "the cheapest coins cost 1e-9 dollars, a bitcoin 3e9 of the weakest money")
MARK_PRICE, INDEX_PRICE = PRICE._replace(name="mark price"), PRICE._replace(name="index price")
QUANTITY = Bound("quantity", 1e-15, 1e18, "coins, contracts or USD",
                 "no coin that is traded has 1e18 pieces, no contract is finer than 1e-9")
AMOUNT = QUANTITY._replace(name="amount", least=0.0)
VOLUME = Bound("volume", 0.0, 1e21, "coins, contracts or quote", "a bar of a month of the cheapest coin, 1e17, and room")
NOTIONAL = Bound("notional", 0.0, 1e11, "USD",
                 "the largest liquidations were of some 4e8 dollars, all open interest of a coin was never 1e11")
INTEREST = Bound("open interest", 0.0, 1e13, "USD", "all coins together never were worth 1e13 dollars")
"""Of `oi_usd`, once it is known to be dollars: beyond, it is null with its reason, since the contract's size may be wrong."""
RATE = Bound("rate", -1.0, 1.0, "fraction per interval",
             "venues cap funding at a few hundredths; at 1 a position is paid away at once")
INTERVAL = Bound("interval", 1 / 60, 8784.0, "hours", "funding is paid every hour or day; a minute, a year are far beyond")
PREMIUM = Bound("premium", -1e3, 1e3, "fraction", "contracts of coins that broke down stood a few times beside their index")
RATIO = Bound("ratio", 0.0, 1e18, "long per short", "the shorts may be next to nothing")
SHARE = Bound("share", 0.0, 1.0, "fraction of the whole", "a part is not more than the whole")
SIZE = Bound("contract size", 1e-15, 1e12, "coins or USD", "the largest contracts are of 1e7 of the cheapest coins")
LIMIT = Bound("limit", 0.0, 1e21, "coins, contracts or quote", "no limit is written as the largest whole number, 9.2e18")
DEDUCTION = Bound("deduction", -1e21, 1e21, "coins, contracts or quote", "as limit, of which it is a part")
MARGIN = Bound("margin", 0.0, 10.0, "fraction of the notional",
               "a margin is the notional at most; leverage below 1 is listed, too")
LEVERAGE = Bound("leverage", 0.1, 1e4, "notional per margin", "the most that was ever offered is 1001")
STEP = Bound("step", 0.0, 10_000.0, "place in a margin table", "tables have some tens of steps")
# fmt: on
(CHEAPEST, DEAREST), (LEAST, MOST) = PRICE[1:3], QUANTITY[1:3]
EARLIEST_MS = 1_483_228_800_000
"""2017-01-01, UTC milliseconds: Bybit began in 2018, Binance's futures in 2019, OKX's swaps in 2018; seconds, minutes and cut
digits are all before it."""
LATE_MS = 86_400_000
"""An event is at most a day after its frame arrived (milliseconds): venues' clocks are right to a second, and an hour's wrong
time zone is no reason to lose a frame."""
LONGEST_SYMBOL = 128  # characters: the longest that a venue lists name a token by its address and have some 70
SOUND, MOST_SOUND = set[str](), 50_000
"""Symbols that were found to be such; where every nanosecond counts they are looked up here."""
LONGEST_TEXT = 200  # characters of a status, a family, a name of ours: the longest is of some 40

NUMBERS: dict[type[Row], tuple[tuple[str, Bound], ...]] = {
    Liquidation: (("price", PRICE), ("order_price", PRICE), ("qty", QUANTITY)),
    FundingRate: (("funding_rate", RATE), ("interval_hours", INTERVAL)),
    FundingSettlement: (("funding_rate", RATE), ("interval_hours", INTERVAL), ("mark_price", PRICE)),
    AggregatedLiquidations: (("long", VOLUME), ("short", VOLUME)),
    AccountPosition: (
        ("qty", AMOUNT), ("entry_price", PRICE), ("liquidation_price", PRICE), ("usd", INTEREST), ("leverage", LEVERAGE),
    ),
    OpenInterest: (("open_interest", AMOUNT), ("base_given", AMOUNT), ("usd_given", AMOUNT)),
    MarkPrice: (("mark_price", PRICE), ("index_price", PRICE)),
    Kline: (("volume", VOLUME), ("volume_base", VOLUME), ("volume_quote", VOLUME), ("taker_buy_volume", VOLUME)),
    LongShortRatio: (
        ("ratio", RATIO), ("long_share", SHARE), ("short_share", SHARE), ("long_volume", VOLUME), ("short_volume", VOLUME),
    ),
    Instrument: (("contract_size", SIZE), ("interval_hours", INTERVAL)),
    FundingInterval: (("interval_hours", INTERVAL),),
    LeverageTier: (
        ("tier", STEP), ("floor", LIMIT), ("cap", LIMIT), ("maintenance_margin_rate", MARGIN),
        ("initial_margin_rate", MARGIN), ("max_leverage", LEVERAGE), ("deduction", DEDUCTION),
    ),
}  # fmt: skip
"""The numbers of each kind of fact; one that is None is not looked at."""
CANDLE = ("open", "high", "low", "close")
OF_CANDLE = {"premium": PREMIUM}
TRADED = PRICE._replace(name="price of a candle", least=0.0, reason=f"{PRICE.reason}; before its first trade it is 0")
TEXTS: dict[type[Row], tuple[str, ...]] = {
    Liquidation: ("status",),
    FundingSettlement: ("rate_type",),
    OpenInterest: ("period",),
    Kline: ("interval",),
    LongShortRatio: ("period",),
    AggregatedLiquidations: ("period",),
    AccountPosition: ("account", "margin"),
    Instrument: ("instrument", "base", "quote", "settle", "status", "family", "asset_class"),
}
"""The texts of each kind, beside the symbol, that a venue writes."""


def implausible(row: Row) -> str:
    """Return why a fact cannot be, nothing where it can. Its time is not looked at: see wire.moment."""
    kind = type(row)
    for name, bound in NUMBERS.get(kind, ()):
        if (value := getattr(row, name)) is not None and not bound.least <= value <= bound.most:
            return beyond(name, repr(value), bound)
    if isinstance(row, Kline):
        bound = OF_CANDLE.get(row.kind, TRADED)
        for name in CANDLE:
            if not bound.least <= (value := getattr(row, name)) <= bound.most:
                return beyond(name, repr(value), bound)
    for name in TEXTS.get(kind, ()):
        if (text := getattr(row, name)) is not None and not is_text(text):
            return f"{name} is {printable(ascii(text), 80)}, longer than {LONGEST_TEXT} or not printable"
    symbol = getattr(row, "symbol", None)
    return "" if symbol is None or is_symbol(symbol) else wrong_symbol(symbol)


def beyond(name: str, shown: str, bound: Bound) -> str:
    """Return what is wrong with a number that is not within its bound."""
    return f"{name} is {shown}: {bound.name} is {bound.least:g} to {bound.most:g} {bound.unit}"


def is_symbol(symbol: str) -> bool:
    """Say whether a text may be a symbol: there, of at most LONGEST_SYMBOL characters, printable, no blank at its ends."""
    if symbol in SOUND:
        return True
    if not 0 < len(symbol) <= LONGEST_SYMBOL or UNPRINTABLE.search(symbol) or symbol != symbol.strip():
        return False
    if len(SOUND) < MOST_SOUND:
        SOUND.add(symbol)
    return True


def wrong_symbol(symbol: str) -> str:
    """Return what is wrong with a text that is no symbol."""
    if not symbol.strip():
        return "the symbol is empty"
    if len(symbol) > LONGEST_SYMBOL:
        return f"the symbol {symbol[:20]!a}… has {len(symbol):,} characters, more than {LONGEST_SYMBOL}"
    return f"the symbol {symbol!a} is not printable, or has blanks at its ends"


def is_text(text: str) -> bool:
    """Say whether a text that a venue writes may be kept in a column: of at most LONGEST_TEXT characters, printable."""
    return len(text) <= LONGEST_TEXT and ((text.isascii() and text.isprintable()) or not UNPRINTABLE.search(text))


def by_symbol(function: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """Keep what a function says of symbols; of a text that is too long to be one it is asked each time, and nothing kept."""
    kept = lru_cache(maxsize=16384)(function)
    return lambda symbol: kept(symbol) if len(symbol) <= LONGEST_SYMBOL else function(symbol)
