"""The recorded liquidation lines of the further venues that a foreign client reads, each as that client and we read it.

What is right is the table in the README beside the recordings, and below for BitMEX, whose orders take several lines.
"""

import re
from collections.abc import Sequence
from typing import Any

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import read_instruments
from pipelines.venues import VENUES
from tests.foreign import install
from tests.foreign.compare import ms
from tests.foreign.further.clients import CRYPTOFEED, FOREIGN, HERE
from tests.foreign.further.compare import TABLES
from tests.foreign.lines import Line, Verdict, answers_of, judge, side_of
from tests.foreign.ours import Frame, rows_of
from tests.foreign.report import table
from tests.pipelines.test_further_frames import FOLDERS, LISTS, RECORDINGS, Reading, readings

TARDIS = {"bitmex": "bitmex", "bitfinex": "bitfinex-derivatives", "deribit": "deribit", "dydx": "dydx-v4",
          "kraken": "cryptofacilities", "htx": "huobi-dm-swap"}  # fmt: skip
READS = {"tardis-dev": set(TARDIS), "ccxt": {"gateio"}, **{name: {venue} for name, (venue, _) in CRYPTOFEED.items()}}
"""By client the venues whose recorded lines it reads."""
BITMEX = (
    ("9a519e00-4fe7-4f17-9629-e48f6d3ab21d", "XBTUSDT", {"coins": "0.0397", "price": "87785.3", "USD": "3485.07641"}),
    ("e42d57c2-977f-4535-8428-608a379cebdf", "XBTUSD", {"USD": "21600"}),
    ("dd9cea25-207c-0dab-15b5-b88da776f500", "XBTUSD", {"coins": "0.9117356", "price": "10106", "USD": "9214"}),
)
"""Orders of shorts: a linear one, one that is enlarged, a plain one."""
NUMBER = re.compile(r"[\d.]+")


def lines() -> list[Line]:
    """Return the lines that some client reads; none where there are no recordings. Each line of `Line.frame` is a frame."""
    known = set().union(*READS.values()) - {"bitmex"}
    found = [_line(each) for each in readings() if each.venue in known]
    path = RECORDINGS / "bitmex" / "liquidation.jsonl"
    texts = path.read_text().splitlines() if path.is_file() else []
    for id, symbol, right in BITMEX if texts else ():
        frames = "\n".join(text for text in texts if id in text)
        found.append(
            Line("bitmex", f"liquidation {id[:8]}", frames, symbol, {"symbol": symbol, "side": "short"} | right)
        )
    return [line for line in found if line.frame and line.right]


def _line(reading: Reading) -> Line:
    symbol, side, _, base, price, usd, *_ = reading.cells
    text = reading.path.read_text().splitlines()[reading.line - 1]
    numbers = {"coins": NUMBER.match(base), "price": re.search(r"[\d.]+$", price), "USD": NUMBER.fullmatch(usd)}
    right = {name: found[0] for name, found in numbers.items() if found}
    is_told = side in ("LONG", "SHORT") and right.keys() >= {"coins", "price", "USD"}
    place = f"{reading.path.stem}:{reading.line}"
    symbol = symbol.split()[0]
    return Line(reading.venue, place, text, symbol, {"symbol": symbol, "side": side.lower()} | right if is_told else {})


def verdicts(found: Sequence[Line], missing: dict[str, str]) -> dict[str, list[Verdict]]:
    """Read every line with every client that reads its venue and can be had; `missing` is told which cannot, and why."""
    judged: dict[str, list[Verdict]] = {}
    for name in (*READS, "ours"):
        own = [line for line in found if line.venue in READS.get(name, VENUES)]
        try:
            judged[name] = list(map(judge, own, answers(name, own)))
        except install.UnavailableError as error:
            missing[name] = str(error)
    return judged


def answers(name: str, found: list[Line]) -> list[dict[str, Any]]:
    """Return what a client, or `ours`, reads of each line, as `said`. Raises install.UnavailableError."""
    if name in CRYPTOFEED:
        return _cryptofeed(name, found)
    return {"tardis-dev": _tardis, "ccxt": _ccxt, "ours": _ours}[name](found)


def _frame_by_frame(command: list[str], asked: list[list[dict[str, Any]]], env: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a client says of each line's frames together."""
    read = iter(answers_of(command, [each for some in asked for each in some], env))
    return [{"said": [said for _ in some for said in next(read)["said"]]} for some in asked]


def _tardis(found: list[Line]) -> list[dict[str, Any]]:
    def exchange(line: Line) -> str:
        return "huobi-dm-linear-swap" if line.venue == "htx" and line.symbol.endswith("USDT") else TARDIS[line.venue]

    asked = [
        [{"exchange": exchange(line), "frame": frame, "at": "2026-10-01"} for frame in line.frame.splitlines()]
        for line in found
    ]  # fmt: skip
    command = ["node", str(FOREIGN / "tardis" / "tardis.js"), "map"]
    return _frame_by_frame(command, asked, {"NODE_PATH": str(install.node_modules())})


def _ccxt(found: list[Line]) -> list[dict[str, Any]]:
    def market(line: Line) -> dict[str, Any]:
        known = book_of(line.venue).resolve(line.venue, line.symbol)
        return {
            "id": line.symbol, "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT", "type": "swap",
            "spot": False, "swap": True, "future": False, "option": False, "contract": True, "linear": True, "inverse": False,
            "contractSize": known.contract_size, "active": True, "precision": {}, "limits": {}, "info": {},
        }  # fmt: skip

    asked = [[{"exchange": "gate", "frame": line.frame, "market": market(line)}] for line in found]
    return _frame_by_frame([str(install.python()), "-P", str(HERE / "ccxt_client.py"), "map"], asked, {})


def _cryptofeed(client: str, found: list[Line]) -> list[dict[str, Any]]:
    python = install.python() if client == "cryptofeed" else install.cryptofeed_3_python()
    asked = [
        [{"exchange": CRYPTOFEED[client][1], "frame": frame, "symbol": line.symbol} for frame in line.frame.splitlines()]
        for line in found
    ]  # fmt: skip
    return _frame_by_frame([str(python), "-P", str(HERE / "cryptofeed_client.py"), "map"], asked, {})


def book_of(venue: str) -> Instruments:
    """Return the contracts of the venue's own recorded list, where there is one."""
    listed = RECORDINGS / FOLDERS.get(venue, venue) / LISTS.get(venue, "-")
    return read_instruments(VENUES[venue], [listed]) if listed.is_file() else Instruments()


def _ours(found: list[Line]) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = []
    for line in found:
        channel = line.place.split(":")[0].removeprefix("rest_") if line.place.startswith("rest_") else None
        frames = [
            Frame(n, line.venue, line.place, text.encode(), channel)
            for n, text in enumerate(line.frame.splitlines(), 1)
        ]
        tables = rows_of(frames, book_of(line.venue))
        read.append({"said": [
            {"kind": "liquidation", "symbol": row["symbol"], "side": side_of(row), "amount": row["qty_raw"],
             "base": row["qty_base"], "price": row["price"], "usd": row["notional_usd"], "timestamp": ms(row["ts_event"])}
            for table in TABLES for rows in tables[table].values() for row in rows
        ]})  # fmt: skip
    return read


def lines_table(judged: dict[str, list[Verdict]]) -> str:
    """Return what is wrong of each line, a client a row, as text."""
    rows = [
        (one.line.venue, one.line.place, one.line.symbol, name, "; ".join(one.wrong) or "right")
        for name, found in judged.items() for one in found
    ]  # fmt: skip
    return table(("venue", "line", "symbol", "client", "wrong"), sorted(rows))
