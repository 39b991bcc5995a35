"""The recorded liquidation lines of the three venues, each as tardis-dev, ccxt, cryptofeed and we read it.

What is right is the table in the READMEs beside the recordings. A client that publishes no coins or no USD is taken at
its word: its amount as coins, amount x price as USD.
"""

import json
import math
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.columns.contracts.instruments import Instruments
from pipelines.commands.parse import read_instruments
from pipelines.venues import VENUES
from tests.foreign import install
from tests.foreign.compare import POSITIONS, ms
from tests.foreign.ours import Frame, rows_of

HERE = Path(__file__).parent
RECORDINGS = HERE.parents[2] / "shared" / "recordings"
INSTRUMENTS = {"binance": "rest_cm_exchangeInfo.jsonl", "okx": "rest_instruments.jsonl"}
EXPECTED = re.compile(r"\| (?P<file>\S+\.jsonl):(?P<line>\d+) \| (?P<symbol>\S+) \| (?P<side>LONG|SHORT)[^|]* \| "
                      r"(?P<coins>[\d.]+) \| (?P<price>[\d.]+) \| (?P<usd>[\d.]+)[^|]* \| (?P<ms>\d+) \|")  # fmt: skip
LEGACY = "liquidation_v2_legacy"
RECEIVED = {LEGACY: "2022-01-01", "liquidation_v5_retired": "2023-06-01", "allLiquidation": "2025-06-01"}
"""When tardis-dev is told a line came: its mappers change with the date. The others are read as of today."""


class Line(NamedTuple):
    """A recorded line, and what a right reading of it holds."""

    venue: str
    place: str
    frame: str
    symbol: str
    right: dict[str, Any]


class Verdict(NamedTuple):
    """What a client got wrong of a line, as `field: theirs`; empty where all is right."""

    line: Line
    wrong: list[str]


def lines() -> list[Line]:
    """Return the recorded liquidation lines with their expected readings; none where the folder is not there."""
    found: list[Line] = []
    for venue in VENUES:
        readme = RECORDINGS / venue / "README.md"
        for row in EXPECTED.finditer(readme.read_text()) if readme.is_file() else ():
            text = (RECORDINGS / venue / row["file"]).read_text().splitlines()[int(row["line"]) - 1]
            right = {"symbol": row["symbol"], "side": row["side"].lower(), "coins": row["coins"],
                     "price": row["price"], "USD": row["usd"], "time": row["ms"]}  # fmt: skip
            found.append(Line(venue, f"{row['file'].removesuffix('.jsonl')}:{row['line']}", text, row["symbol"], right))
    return found


def verdicts(found: Sequence[Line], missing: dict[str, str]) -> dict[str, list[Verdict]]:
    """Read every line with every client that can be had; `missing` is told which cannot, and why."""
    readers: dict[str, Callable[[Sequence[Line]], list[Any]]] = {
        "tardis-dev": _tardis, "ccxt": _ccxt, "cryptofeed": _cryptofeed, "ours": _ours,
    }  # fmt: skip
    judged: dict[str, list[Verdict]] = {}
    for name, read in readers.items():
        try:
            judged[name] = list(map(judge, found, read(found)))
            others = list(map(_wrapped, found))
            for n, other in enumerate(map(judge, others, read(others))):
                if judged[name][n].wrong != other.wrong:
                    judged[name][n].wrong.append(f"as a combined stream: {', '.join(other.wrong) or 'right'}")
        except install.UnavailableError as error:
            missing[name] = str(error)
    return judged


def _wrapped(line: Line) -> Line:
    """The same event as its symbol's own combined stream sends it, which is all that some clients read."""
    if line.venue != "binance":
        return line
    message = json.loads(line.frame)
    stream = {"stream": f"{line.symbol.lower()}@forceOrder", "data": message.get("data", message)}
    return line._replace(frame=json.dumps(stream))


def judge(line: Line, answer: dict[str, Any]) -> Verdict:
    """Return what is wrong in a client's answer: what it `said` of a line, or its `error`."""
    said = [each for each in answer["said"] if each["kind"] == "liquidation"]
    if not said:
        return Verdict(line, [f"not read ({answer['error']})" if answer.get("error") else "not read"])
    if len(said) > 1:
        return Verdict(line, [f"read {len(said)} times"])
    one = said[0]
    amount = one["base"] if one.get("base") is not None else one["amount"]
    usd = one["usd"] if one.get("usd") is not None else amount and amount * one["price"]
    theirs = {"symbol": one["symbol"], "side": POSITIONS.get(str(one["side"])), "coins": amount,
              "price": one["price"], "USD": usd, "time": one["timestamp"]}  # fmt: skip
    return Verdict(
        line, [f"{name} {_text(theirs[name])}" for name, right in line.right.items() if not _fits(right, theirs[name])]
    )


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else "none" if value is None else str(value)


def _fits(right: str, said: Any) -> bool:
    """Whether a value is the one written in the README, to the digits written there."""
    if isinstance(said, str) or said is None:
        return bool(said == right)
    return math.isclose(float(right), said, abs_tol=0.51 * 10 ** -len(right.partition(".")[2]), rel_tol=1e-12)


def _ours(found: Sequence[Line]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for n, line in enumerate(found, 1):
        rows = rows_of([Frame(n, line.venue, line.place, line.frame.encode())], contracts(line.venue))
        answers.append({"said": [
            {"kind": "liquidation", "symbol": row["symbol"], "side": side_of(row), "amount": row["qty_raw"],
             "base": row["qty_base"], "price": row["price"], "usd": row["notional_usd"], "timestamp": ms(row["ts_event"])}
            for row in rows["liquidations"].get(n, [])
        ]})  # fmt: skip
    return answers


def side_of(row: dict[str, Any]) -> str:
    """The order's side, where the position's is its opposite as it must be."""
    return str(row["order_side"]) if POSITIONS[row["order_side"]] == row["position_side"] else "contradiction"


def contracts(venue: str) -> Instruments:
    """Return the contracts of the venue's own recorded answer, where sizes are needed."""
    name = INSTRUMENTS.get(venue)
    return read_instruments(VENUES[venue], [RECORDINGS / venue / name]) if name else Instruments()


def _tardis(found: Sequence[Line]) -> list[dict[str, Any]]:
    """The first liquidation-orders message of a connection is dropped by tardis-dev: its second one is judged."""
    exchanges = {"binance": ("binance-futures", "binance-delivery"), "bybit": ("bybit",) * 2, "okx": ("okex-swap",) * 2}
    asked = [
        {"exchange": exchanges[line.venue][_inverse(line)], "frame": line.frame, "primer": line.venue == "okx",
         "at": RECEIVED.get(line.place.split(":")[0], "2026-10-01")}
        for line in found
    ]  # fmt: skip
    command = ["node", str(HERE / "tardis" / "tardis.js"), "map"]
    return answers_of(command, asked, {"NODE_PATH": str(install.node_modules())})


def _ccxt(found: Sequence[Line]) -> list[dict[str, Any]]:
    asked = [{"venue": line.venue, "frame": line.frame, "market": _market(line)} for line in found]
    return answers_of([str(install.python()), "-P", str(HERE / "ccxt_client.py"), "map"], asked)


def _cryptofeed(found: Sequence[Line]) -> list[dict[str, Any]]:
    asked = [
        {"venue": line.venue, "frame": line.frame, "inverse": _inverse(line), "symbol": line.symbol} for line in found
    ]
    return answers_of([str(install.python()), "-P", str(HERE / "cryptofeed_client.py"), "map"], asked)


def answers_of(
    command: list[str], asked: list[dict[str, Any]], env: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return what a client prints of each line asked."""
    text = "".join(json.dumps(each) + "\n" for each in asked)
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=os.environ | (env or {}))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _inverse(line: Line) -> bool:
    form = VENUES[line.venue].symbol_form(line.symbol)
    return form is not None and form.contract == "inverse"


def _market(line: Line) -> dict[str, Any]:
    """The contract as ccxt's own market list would hold it, contract size included."""
    known = contracts(line.venue).resolve(line.venue, line.symbol)
    inverse, size = _inverse(line), known.contract_size
    return {
        "id": line.symbol, "symbol": known.instrument, "base": known.base, "quote": known.quote, "settle": known.settle,
        "type": "future" if known.kind == "delivery" else "swap", "spot": False, "swap": known.kind == "perpetual",
        "future": known.kind == "delivery", "option": False, "contract": True, "linear": not inverse, "inverse": inverse,
        "contractSize": size or 1.0, "active": True, "precision": {}, "limits": {}, "info": {},
    }  # fmt: skip
