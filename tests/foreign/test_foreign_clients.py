"""Foreign clients read what the simulators send as we do, but for their known errors; skipped where they cannot be had."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipelines.columns.contracts.instruments import Instruments
from tests.foreign import lines, live, report
from tests.foreign.lines import LEGACY, Verdict
from tests.foreign.ours import Frame, Rows, rows_of

CLIENTS = ("tardis-dev", "ccxt", "cryptofeed")
RIGHT = {"tardis-dev": 4, "ccxt": 2, "cryptofeed": 0, "ours": 13}
"""Lines read fully right of the 13 since Bybit's v5, as recorded."""

pytestmark = pytest.mark.timeout(600)  # the first run installs the clients


@pytest.fixture(scope="module")
def run() -> live.Run:
    """One run of the market with every client there is."""
    return asyncio.run(live.run())


@pytest.fixture(scope="module")
def found(run: live.Run) -> report.Findings:
    return report.findings(run)


def _need(missing: dict[str, str], client: str) -> None:
    if client in missing:
        pytest.skip(f"{client}: {missing[client]}")


@pytest.mark.parametrize("client", CLIENTS)
def test_every_difference_to_a_foreign_client_is_explained(run: live.Run, found: report.Findings, client: str) -> None:
    _need(run.missing, client)
    compared = [one for one in found.differences if one.client == client] + [
        one for one in found.agreed if one[0] == client
    ]
    assert compared, run.stderr[client]
    assert [one for one in found.unexplained if client in one] == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_foreign_client_receives_what_was_sent_and_we_read_it_as_sent(
    run: live.Run, found: report.Findings, client: str
) -> None:
    _need(run.missing, client)
    for one in (one for one in found.received if one.client == client):
        assert one.wrong == []
        assert one.shown > 0
        assert one.received == (0 if one.why else one.shown), one
        assert one.perpetuals > 0
        assert one.silent == [] or one.why_silent, one


Change = Callable[[Any], Any]


def _other(value: Any) -> Any:
    """Another value of the same kind, as wrong as can easily be overlooked."""
    if isinstance(value, str):
        return {"buy": "sell", "sell": "buy", "long": "short", "short": "long", "linear": "inverse"}.get(
            value, f"{value}X"
        )
    return value + timedelta(milliseconds=1) if hasattr(value, "year") else value * 1.001 or 1.0


_known: dict[str, dict[str, Rows]] = {}


def _read(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
    """Our reading of a client's frames, made once; the lists of rows may be replaced."""
    key = f"{id(book)} {frames[0].session}"
    if key not in _known:
        _known[key] = rows_of(frames, book)
    return {table: found.copy() for table, found in _known[key].items()}


def _thousandfold(value: float) -> float:
    return value * 1000


def _with_error(table: str, venue: str, field: str, change: Change, symbol: str) -> Callable[..., dict[str, Rows]]:
    """Our reading with one row of a table wrong: the middle one (of a wrong symbol the first) of a
    venue that has the field, of a symbol so named."""

    def read(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
        rows = _read(frames, book)
        places = [
            (number, n) for number, found in rows[table].items() for n, row in enumerate(found)
            if row["venue"] == venue and row[field] is not None and symbol in row["symbol"]
        ]  # fmt: skip
        if places:
            number, n = places[
                0 if field == "symbol" else len(places) // 2
            ]  # later it would stay what it was told before
            rows[table][number] = [*rows[table][number]]
            rows[table][number][n] = rows[table][number][n] | {field: change(rows[table][number][n][field])}
        return rows

    return read


VENUES = ("binance", "bybit", "okx")
ERRORS = [
    *[("liquidations", venue, field, _other, "") for venue in VENUES for field in (
        "symbol", "position_side", "order_side", "ts_event", "qty_raw", "qty_base", "price", "price_raw", "notional_usd",
        "base", "contract")],
    *[("liquidations", venue, field, _thousandfold, "PEPE") for venue in VENUES for field in ("qty_base", "price")],
    *[("funding_rates", venue, field, _other, "") for venue in VENUES for field in (
        "symbol", "funding_rate", "next_funding_ts", "ts_event")],
    *[("mark_prices", venue, "mark_price", change, "PEPE") for venue in VENUES for change in (_other, _thousandfold)],
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error[1]} {error[0]} {error[2]}{error[3].__name__}")
def test_an_error_of_ours_is_explained_by_nothing(run: live.Run, error: tuple[str, str, str, Change, str]) -> None:
    if run.missing:
        pytest.skip(f"{', '.join(run.missing)} cannot be had here")
    assert report.findings(run, _with_error(*error)).unexplained


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("times", [0, 2])
def test_a_liquidation_that_we_drop_or_double_is_explained_by_nothing(run: live.Run, venue: str, times: int) -> None:
    def read(frames: Sequence[Frame], book: Instruments) -> dict[str, Rows]:
        rows = _read(frames, book)["liquidations"]
        numbers = [number for number, found in rows.items() if found[0]["venue"] == venue]
        for number in numbers[len(numbers) // 2 :][:1]:
            rows[number] = [*rows[number][:1] * times, *rows[number][1:]]
        return _read(frames, book) | {"liquidations": rows}

    if run.missing:
        pytest.skip(f"{', '.join(run.missing)} cannot be had here")
    assert report.findings(run, read).unexplained


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Verdict]]:
    recorded = lines.lines()
    if not recorded:
        pytest.skip(f"no recordings at {lines.RECORDINGS}")
    return lines.verdicts(recorded, {})


@pytest.mark.parametrize("reader", [*CLIENTS, "ours"])
def test_of_the_recorded_lines_we_read_all_right_and_others_few(judged: dict[str, list[Verdict]], reader: str) -> None:
    if reader not in judged:
        pytest.skip(f"{reader} cannot be had here")
    since = [verdict for verdict in judged[reader] if not verdict.line.place.startswith(LEGACY)]
    assert len(since) == 13
    assert sum(not verdict.wrong for verdict in since) == RIGHT[reader]
    if reader == "ours":
        assert [verdict for verdict in judged[reader] if verdict.wrong] == []
