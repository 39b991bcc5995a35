"""Which coin, contract or venue a name means: in any case, and in the venue's own spelling too."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.spelling import resolve

ELSEWHERE = ("liquidations", "klines", "open_interest", "funding_rates", "mark_prices")
"""Tables that may have old coins and contracts that are in no venue's list."""

CALLED = {
    "XBT": "BTC", "Bitcoin": "BTC", "Ether": "ETH", "Ethereum": "ETH", "Solana": "SOL", "Ripple": "XRP", "Dogecoin": "DOGE",
    "Cardano": "ADA", "Avalanche": "AVAX", "Chainlink": "LINK", "Litecoin": "LTC", "Polkadot": "DOT", "Toncoin": "TON",
    "Bitcoin Cash": "BCH", "Hyperliquid": "HYPE", "Shiba Inu": "SHIB",
}  # fmt: skip
"""What people call coins, and their codes."""


class Contract(NamedTuple):
    """What a venue calls a contract, and what it is here."""

    venue: str
    symbol: str
    instrument: str
    base: str


def contracts(lake: Lake) -> list[Contract]:
    """Return every contract that a venue has listed. Raises duckdb.Error."""
    query = "SELECT DISTINCT venue, symbol, instrument, base FROM instruments WHERE instrument IS NOT NULL AND base IS NOT NULL"
    return [Contract(*row) for row in lake.connection.execute(query).fetchall()]


def coin(lake: Lake, given: str, listed: list[Contract] | None = None) -> str:
    """Return the coin that is meant: BTC for btc, XBT, Bitcoin, BTCUSDT and BTC/USDT:USDT. Raises UnknownNameError."""
    listed = contracts(lake) if listed is None else listed
    known = sorted({each.base for each in listed})
    others: dict[str, set[str]] = {}
    for each in listed:
        for name in (each.symbol, each.instrument):
            others.setdefault(name, set()).add(each.base)
    others |= {name: {called} for name, called in CALLED.items() if called in known and name not in known}
    return _of_lake(lake, "base", given, known, "coin", others)


def instrument(lake: Lake, given: str, listed: list[Contract] | None = None, at: str | None = None) -> str:
    """Return the contract that is meant, in our spelling: BTC/USDT:USDT for btc, btcusdt, BTC-USDT-SWAP, BTC/USDT.

    A coin alone means its perpetual in USDT, else the only contract it has. `at`: among those of that venue, however any
    venue spells it. Raises UnknownNameError with those that may be meant.
    """
    listed = contracts(lake) if listed is None else listed
    own = {each.instrument: each.base for each in listed if at in (None, each.venue)}
    others: dict[str, set[str]] = {}
    for each in listed:
        if each.instrument in own:
            others.setdefault(each.symbol, set()).add(each.instrument)
    for name, meant in (*_by(own, _pair), *_by(own, own.__getitem__)):
        others[name] = meant
    for name, called in CALLED.items():
        if name not in others and called in others:
            others[name] = others[called]
    what = "instrument" if at is None else f"instrument of {at}"
    return _of_lake(lake, "instrument", given, sorted(own), what, others)


def symbol(lake: Lake, given: str, listed: list[Contract] | None = None) -> str:
    """Return what a venue calls the contract that is meant. Raises UnknownNameError, with those of all venues that fit."""
    listed = contracts(lake) if listed is None else listed
    named: dict[str, set[str]] = {}
    for each in listed:
        named.setdefault(each.instrument, set()).add(each.symbol)
    others = {name: set(symbols) for name, symbols in named.items()}
    bases = {each.instrument: each.base for each in listed}
    for name, meant in (*_by(bases, _pair), *_by(bases, bases.__getitem__)):
        others.setdefault(name, set()).update(*(named[each] for each in meant))
    return _of_lake(lake, "symbol", given, sorted({each.symbol for each in listed}), "symbol", others)


def _pair(instrument: str) -> str:
    return instrument.partition(":")[0]


def _by(instruments: Iterable[str], name_of: Callable[[str], str]) -> Iterator[tuple[str, set[str]]]:
    """Yield each name with the contracts that it means: the perpetual in USDT, else the perpetuals, else all of that name."""
    named: dict[str, set[str]] = {}
    for each in instruments:
        named.setdefault(name_of(each), set()).add(each)
    for name, meant in named.items():
        endless = {each for each in meant if "-" not in each.partition(":")[2]}
        main = {each for each in endless if each.endswith("/USDT:USDT")}
        yield name, main or endless or meant


def _of_lake(
    lake: Lake, column: str, given: str, known: Collection[str], what: str, others: Mapping[str, Collection[str]]
) -> str:
    try:
        return resolve(given, known, what, others)
    except UnknownNameError:
        if not known or _is_stored(lake, column, given):
            return given
        raise


def _is_stored(lake: Lake, column: str, given: str) -> bool:
    found = (
        lake.connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1", [given]) for table in ELSEWHERE
    )
    return any(each.fetchone() for each in found)
