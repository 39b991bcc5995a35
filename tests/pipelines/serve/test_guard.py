"""Who may ask, and what happens to those who ask too much."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.pipelines.serve.conftest import Served, service

TOKEN = "a-secret-of-twenty-letters"


@pytest.fixture(scope="module")
def guarded(served_world: Path) -> Iterator[Served]:
    """The service with a token."""
    with service(served_world, LIQ_SERVE_TOKEN=TOKEN) as running:
        yield running


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_of_the_data_is_told(guarded: Served, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    for path in ("/v1/catalogue", "/v1/brief/BTC", "/openapi.json", "/v1/sql?query=SELECT+1"):
        answer = guarded.client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
    assert guarded.client.get("/health").status_code == 200


def test_a_websocket_needs_the_token_too(guarded: Served) -> None:
    address = f"ws://127.0.0.1:{guarded.client.base_url.port}/ws-replay"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, proxy=None)
    assert refused.value.response.status_code == 401
    token = {"Authorization": f"Bearer {TOKEN}"}
    with (
        connect(address, proxy=None, additional_headers=token) as socket,
        pytest.raises(ConnectionClosed, match="exchange is needed"),
    ):
        socket.recv(20)


def test_who_is_refused_is_counted(guarded: Served) -> None:
    def refused() -> float:
        told = guarded.client.get("/metrics").text
        return sum(
            float(line.split()[1])
            for line in told.splitlines()
            if line.startswith('liq_serve_refusals_total{status="401"}')
        )

    before = refused()
    guarded.client.get("/v1/catalogue")
    assert refused() == before + 1


def test_with_the_token_all_is_told_by_whatever_name_it_is_asked(guarded: Served) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "data.example"}
    assert guarded.client.get("/v1/catalogue", headers=headers).status_code == 200


def test_an_address_of_others_needs_a_token(served_world: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "liq", "serve", "--host", "0.0.0.0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "LIQ_SERVE_TOKEN must be set" in ended.stderr) == (2, True), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8710", "127.0.0.1.evil.example", "[::2]:1", ""])
def test_a_page_whose_name_resolves_here_is_refused(ask: httpx.Client, host: str) -> None:
    assert ask.get("/v1/catalogue", headers={"Host": host}).status_code == 421


def test_a_page_of_another_site_is_refused(ask: httpx.Client) -> None:
    assert ask.get("/v1/catalogue", headers={"Origin": "https://evil.example"}).status_code == 403
    assert ask.get("/v1/catalogue", headers={"Origin": "null"}).status_code == 403
    assert ask.get("/v1/catalogue", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403, "such as an <img>"
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask.get("/", headers=link).status_code == 200, "a link to the page, followed"
    assert ask.get("/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert ask.get("/v1/catalogue", headers=link).status_code == 403
    own = f"http://127.0.0.1:{ask.base_url.port}"
    assert ask.get("/v1/catalogue", headers={"Origin": own}).status_code == 200


def test_headers_without_end_are_cut_off(ask: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", ask.base_url.port or 0), 20) as bomb:
        sent = 0
        try:
            bomb.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
            for number in range(20_000):
                sent += bomb.send(b"X-%d: %s\r\n" % (number, b"a" * 1000))
            answer = bomb.recv(1000)
        except OSError:
            answer = b""
    assert sent < 20_000_000 or answer == b""
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    assert ask.get("/health").status_code == 200


def test_readers_that_do_not_read_keep_nobody_else_waiting(ask: httpx.Client) -> None:
    slow = []
    for _ in range(20):
        one = http.client.HTTPConnection("127.0.0.1", ask.base_url.port, timeout=20)
        one.request("GET", "/openapi.json")
        slow.append(one)  # never read
    began = time.monotonic()
    assert ask.get("/health").status_code == 200
    assert time.monotonic() - began < 15
    for one in slow:
        one.close()


def test_a_world_without_a_warehouse_is_told(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        answer = running.client.get("/v1/liquidations/totals")
        assert (answer.status_code, "no warehouse in" in answer.json()["detail"]) == (503, True)
        assert running.client.get("/health").status_code == 503
