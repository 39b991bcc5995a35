"""Foreign clients read the further venues as we do, but for their known errors; skipped where they cannot be had."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipelines.columns.contracts.instruments import Instruments
from tests.foreign import install
from tests.foreign.compare import POSITIONS
from tests.foreign.further import clients, lines, live, report
from tests.foreign.further.clients import SOURCES, Source
from tests.foreign.further.explanations import UNREAD
from tests.foreign.lines import Line, Verdict
from tests.foreign.live import Run
from tests.foreign.ours import Frame, Rows, rows_of
from tests.pipelines.frame_files import FRAMES

pytestmark = pytest.mark.timeout(600)  # the first run installs the clients
NAMES = {
    "aster": "aster", "bitget": "bitget", "coinex": "coinex", "cryptocom": "cryptocom", "hyperliquid": "hyperliquid",
    "kucoin": "kucoinfutures",
}  # fmt: skip
"""ccxt's names of the venues that no client reads."""


@pytest.fixture(scope="module")
def run() -> Run:
    """One run of the market with every client there is."""
    return asyncio.run(live.run())


@pytest.fixture(scope="module")
def found(run: Run) -> report.Findings:
    return report.findings(run)


def _need(run: Run, source: Source) -> None:
    if source.client in run.missing:
        pytest.skip(f"{source.client}: {run.missing[source.client]}")


def _need_one(run: Run, venue: str) -> None:
    if all(source.client in run.missing for source in SOURCES if source.venue == venue):
        pytest.skip(f"{', '.join(run.missing)} cannot be had here")


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: f"{each.client} {each.venue}")
def test_every_difference_to_a_foreign_client_is_explained(run: Run, found: report.Findings, source: Source) -> None:
    _need(run, source)
    compared = [one[:3] for one in (*found.differences, *found.agreed) if one[:2] == source[:2]]
    assert {"liquidation", "symbol", "position side", "price of a coin", "coins"} <= {field for *_, field in compared}
    assert [one for one in found.unexplained if source.client in one and source.venue in one] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: f"{each.client} {each.venue}")
def test_a_foreign_client_receives_all_that_was_shown(run: Run, found: report.Findings, source: Source) -> None:
    _need(run, source)
    (one,) = (each for each in found.received if each.source == source)
    assert one.shown > 0
    assert one.received == one.rows
    assert 0 < one.received <= one.shown
    assert one.received == one.shown - len(one.missing)
    assert one.why or one.missing == []


Change = Callable[[Any], Any]


def _other(value: Any) -> Any:
    """Another value of the same kind, as wrong as can easily be overlooked."""
    if isinstance(value, str):
        return {"buy": "sell", "sell": "buy", "long": "short", "short": "long", "linear": "inverse",
                "inverse": "linear"}.get(value, f"{value}X")  # fmt: skip
    return value + timedelta(milliseconds=1) if hasattr(value, "year") else value * 1.001


_known: dict[str, dict[str, Rows]] = {}


def _read(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
    """Our reading of a client's frames of a venue, made once; the lists of rows may be replaced."""
    key = f"{id(book)} {frames[0].venue} {frames[0].session}"
    if key not in _known:
        _known[key] = rows_of(frames, book)
    return {table: found.copy() for table, found in _known[key].items()}


def _changed(table: str, venue: str, change: Callable[[list[Any]], list[Any]]) -> Callable[..., dict[str, Rows]]:
    """Our reading with the rows of one frame of a venue changed: of the middle one that has any."""

    def read(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
        rows = _read(frames, book)
        numbers = sorted(number for number, found in rows[table].items() if found and found[0]["venue"] == venue)
        for number in numbers[len(numbers) // 2 :][:1]:
            rows[table][number] = change([*rows[table][number]])
        return rows

    return read


TABLES = dict.fromkeys(clients.VENUES, "liquidations") | {"gateio": "liquidation_reports"}
FIELDS = ("symbol", "position_side", "order_side", "ts_event", "qty_raw", "qty_base", "price", "price_raw", "notional_usd",
          "base", "contract")  # fmt: skip
TIMELESS = ("bitmex", "ts_event")
"""BitMEX sends no time: ours is when a frame arrived, which no client can be held against."""
ERRORS = [(venue, field) for venue in TABLES for field in FIELDS if (venue, field) != TIMELESS]


@pytest.mark.parametrize(("venue", "field"), ERRORS)
def test_an_error_of_ours_is_explained_by_nothing(run: Run, venue: str, field: str) -> None:
    _need_one(run, venue)
    wrong = _changed(TABLES[venue], venue, lambda rows: [rows[0] | {field: _other(rows[0][field])}, *rows[1:]])
    assert report.findings(run, wrong).unexplained


@pytest.mark.parametrize("venue", TABLES)
@pytest.mark.parametrize("times", [0, 2])
def test_a_liquidation_that_we_drop_or_double_is_explained_by_nothing(run: Run, venue: str, times: int) -> None:
    _need_one(run, venue)
    wrong = _changed(TABLES[venue], venue, lambda rows: [*rows[:1] * times, *rows[1:]])
    assert report.findings(run, wrong).unexplained


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Verdict]]:
    recorded = lines.lines()
    if not recorded:
        pytest.skip(f"no recordings at {lines.RECORDINGS}")
    return lines.verdicts(recorded, {})


RIGHT = {"tardis-dev": ["dydx"], "ccxt": [], "cryptofeed": [], "cryptofeed 3": []}
"""The venues of the recorded lines that a client reads fully right."""


@pytest.mark.parametrize("client", [*RIGHT, "ours"])
def test_of_the_recorded_lines_we_read_all_right_and_others_few(judged: dict[str, list[Verdict]], client: str) -> None:
    if client not in judged:
        pytest.skip(f"{client} cannot be had here")
    assert judged[client]
    right = [one.line.venue for one in judged[client] if not one.wrong]
    assert right == (RIGHT[client] if client in RIGHT else [one.line.venue for one in judged[client]])


BOTH = {"tardis-dev": ["long"], "cryptofeed 3": ["short"], "ours": ["long", "short"]}
"""What is read of a trade of Deribit that liquidated its maker and its taker, flag MT."""


@pytest.mark.parametrize("client", BOTH)
def test_of_a_trade_that_liquidated_both_sides_we_read_both_and_others_one(client: str) -> None:
    frame = (FRAMES / "deribit" / "trades.jsonl").read_text().splitlines()[2]
    assert '"liquidation":"MT"' in frame
    try:
        (answer,) = lines.answers(client, [Line("deribit", "trades:3", frame, "ETH-25DEC26", {})])
    except install.UnavailableError as error:
        pytest.skip(str(error))
    assert sorted(POSITIONS[one["side"]] for one in answer["said"]) == BOTH[client]


def _answer(command: list[str], env: dict[str, str] | None = None) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | (env or {}))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_client_reads_the_market_s_liquidations_of_the_venues_that_we_say_so_of() -> None:
    assert NAMES.keys() == UNREAD.keys()
    try:
        modules, python = install.node_modules(), install.python()
    except install.UnavailableError as error:
        pytest.skip(str(error))
    asked = ["bitget-futures", "crypto-com", "crypto-com-derivatives", "hyperliquid", "kucoin-futures"]
    tardis = ["node", str(clients.FOREIGN / "tardis" / "tardis.js"), "reads", *asked, "bitmex"]
    assert _answer(tardis, {"NODE_PATH": str(modules)}) == ["bitmex"]
    ccxt = [str(python), "-P", str(clients.HERE / "ccxt_client.py"), "reads", *NAMES.values()]
    assert {name: has for name, has in _answer(ccxt)["reads"].items() if has} == {}
    cryptofeed = [str(python), "-P", str(clients.HERE / "cryptofeed_client.py"), "reads"]
    assert _answer([*cryptofeed, "Bitget", "CryptoDotCom", "KuCoin", "Deribit"])["reads"] == ["Deribit"]
