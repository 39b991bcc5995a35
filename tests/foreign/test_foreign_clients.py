"""Foreign clients read what the simulators send as we do, but for their known errors; skipped where they cannot be had."""

import asyncio

import pytest

from tests.foreign import lines, live, report
from tests.foreign.lines import LEGACY, Verdict

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
