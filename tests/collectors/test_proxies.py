"""A proxy of the environment is never asked for this machine itself, and one that cannot be used is one line."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import proxies

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that lets nobody through: its address, and the first line of everything it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    asked.append(line.recv(4096).splitlines()[0])
                    line.sendall(b"HTTP/1.1 503 no\r\ncontent-length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked


def _liq(*words: str, **given: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES} | given
    return subprocess.run(
        [sys.executable, "-m", "liq", *words], env=env, capture_output=True, text=True, check=False, timeout=250
    )


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_prefects_client_reaches_its_own_server_past_any_proxy(
    tmp_path: Path, proxy: tuple[str, list[bytes]], scheme: str
) -> None:
    address, asked = proxy
    from warehouse import schema

    schema.create_or_migrate(tmp_path)
    given = dict.fromkeys(("HTTP_PROXY", "https_proxy", "ALL_PROXY"), f"{scheme}://{address}")
    done = _liq("flows", "run", "coverage", LIQ_DATA=str(tmp_path), **given)
    assert (done.returncode, asked) == (0, []), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("collect", "bybit"), ("up",), ("backfill", "okx", "--since", "1d")])
def test_a_socks_proxy_without_its_package_ends_what_asks_the_venues_in_one_line(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = _liq(*words, LIQ_DATA=str(tmp_path), ALL_PROXY="socks5h://me:secret@127.0.0.1:9")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith(f"liq {words[0]}: ALL_PROXY=socks5h://127.0.0.1:9: a SOCKS proxy needs ")
    assert "`pip install " in done.stderr
    assert "secret" not in done.stderr


def test_doctor_says_which_proxy_cannot_be_used(tmp_path: Path) -> None:
    done = _liq("doctor", LIQ_DATA=str(tmp_path), all_proxy="socks5://127.0.0.1:9")
    assert done.returncode == 1
    assert "all_proxy=socks5://127.0.0.1:9: a SOCKS proxy needs" in " ".join(done.stdout.split())


def test_what_the_user_spares_is_spared_still() -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "internal.example, 10.0.0.0/8"}
    proxies.spare_loopback(environ)
    assert environ["no_proxy"] == environ["NO_PROXY"] == "internal.example,10.0.0.0/8,localhost,127.0.0.1,::1"
    nothing: dict[str, str] = {}
    proxies.spare_loopback(nothing)
    assert nothing == {}


def test_an_opener_for_this_machine_has_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    handlers = {type(each) for each in proxies.direct().handlers}  # type: ignore[attr-defined]
    assert urllib.request.ProxyHandler not in handlers
