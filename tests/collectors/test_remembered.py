"""What a venue listed last is kept, and a collector listens by it where the venue refuses its requests."""

import asyncio
from pathlib import Path

import pytest

from collectors.polls.remembered import MOST_AGE_S, Remembered
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Simulator
from collectors.venues.known import USUAL, VENUES
from collectors.venues.venue import Listed
from tests.collectors.sink import Frames

LISTED = (Listed("BTCUSDT", "BTC", True, "BTCUSDT"), Listed("ETHUSDT-25DEC26", funding=False))
QUICK = CollectorSettings(first_delay_s=0.05, poll_scale=0.01)
TICKING = {"binance": "markPrice", "bybit": "tickers", "okx": "mark-price"}


def test_what_is_kept_is_read_back_for_some_days_each_group_by_its_own_age(tmp_path: Path) -> None:
    now = [1e9]

    def remembered() -> Remembered:
        return Remembered(tmp_path / "listings", "bybit", lambda: now[0])

    assert remembered().listing == {}
    remembered().keep("linear", LISTED)
    assert remembered().listing == {"linear": LISTED}
    assert [path.name for path in (tmp_path / "listings").iterdir()] == ["bybit.json"]
    now[0] += MOST_AGE_S - 1
    remembered().keep("inverse", LISTED[:1])
    assert remembered().listing == {"linear": LISTED, "inverse": LISTED[:1]}
    now[0] += 1
    assert remembered().listing == {"inverse": LISTED[:1]}, "a list that is not told any more grows old beside another"


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"linear":{"at":1e9,"listed":[[5]]}}', b"\xff", b"[" * 5000])
def test_a_damaged_file_is_told_and_counts_as_none(
    tmp_path: Path, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "okx.json").write_bytes(damaged)
    assert Remembered(tmp_path, "okx").listing == {}
    assert "cannot be read" in caplog.text


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    Remembered(tmp_path / "file", "okx").keep("SWAP", LISTED)
    assert "cannot be kept" in caplog.text


@pytest.mark.parametrize("venue", list(USUAL))
async def test_a_collector_listens_though_its_requests_are_refused_at_the_start(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        for refused in (False, True):
            if refused:
                simulator.fault("http_403", venue, count=10_000)
            sink = Frames()
            collector = Collector(VENUES[venue](), sink, QUICK, Remembered(tmp_path, venue))
            running = asyncio.create_task(collector.run())
            try:
                await sink.until(lambda sink=sink: [each for each in sink.data if each.channel == TICKING[venue]])
                if refused:
                    assert sink.told("poll_stopped"), "it was refused"
                else:
                    await sink.until(lambda: len(Remembered(tmp_path, venue).listing) >= 2)
            finally:
                collector.stop()
                await asyncio.wait_for(running, 60)
