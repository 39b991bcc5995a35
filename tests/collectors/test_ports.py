"""Ports for servers: never those that the system gives to outgoing connections."""

import socket
from pathlib import Path

import pytest

from collectors import ports
from collectors.ports import USUAL, free_port, is_free, outside


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    ports.ports.cache_clear()


@pytest.mark.parametrize(("lowest", "highest"), [(32_768, 60_999), (16_000, 60_999), (12_000, 65_535), (1_024, 40_000)])
def test_a_port_is_none_that_the_system_gives_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lowest: int, highest: int
) -> None:
    monkeypatch.setattr(ports, "GIVEN_AWAY", tmp_path / "range")
    (tmp_path / "range").write_text(f"{lowest}\t{highest}\n")
    for together in (1, 5):
        chosen = free_port(together)
        assert not lowest <= chosen <= highest
        assert chosen >= ports.LEAST


def test_the_usual_ports_where_nothing_is_known_or_everything_is_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "GIVEN_AWAY", tmp_path / "none")
    assert free_port() in USUAL
    assert outside(1_024, 65_535) == USUAL


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert not is_free(int(other.getsockname()[1]))
