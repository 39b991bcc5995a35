"""Proxies of the environment: never for this machine itself, and one line where one cannot be used.

HTTP_PROXY, HTTPS_PROXY and ALL_PROXY are read by every HTTP and WebSocket library by itself, Prefect's client among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

LOOPBACK = ("localhost", "127.0.0.1", "::1")
NAMES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "socks_proxy", "all_proxy")
SCHEMES = ("http", "https")
SOCKS = ("socks5", "socks5h")
PACKAGES = {"socksio": "socksio", "python_socks": "python-socks"}
"""What SOCKS takes: modules of httpx's and of websockets', and the packages that bring them."""

_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def spare_loopback(environ: MutableMapping[str, str]) -> None:
    """Let every library, and every process started from here, reach this machine without a proxy."""
    if not list(_given(environ)):
        return
    spared = [
        each.strip() for name in ("no_proxy", "NO_PROXY") for each in environ.get(name, "").split(",") if each.strip()
    ]
    listed = ",".join(dict.fromkeys([*spared, *LOOPBACK]))
    environ["no_proxy"] = environ["NO_PROXY"] = "*" if "*" in spared else listed


def drop_unusable(environ: MutableMapping[str, str]) -> None:
    """Take away the proxies that `wrong` names: libraries fail at their mere sight, also where nothing goes outside."""
    for name, address in list(_given(environ)):
        if _lacking(address):
            del environ[name]


def wrong(environ: MutableMapping[str, str]) -> str:
    """Return one line on a proxy that cannot be used, and what to do; empty where there is none."""
    for name, address in _given(environ):
        if lacking := _lacking(address):
            return f"{name}={_PASSWORD.sub('', address)}: {lacking}, or unset {name}"
    return ""


def told(environ: MutableMapping[str, str]) -> str:
    """Return which proxies are used for what is outside, without passwords; empty where none is."""
    return ", ".join(f"{name}={_PASSWORD.sub('', address)}" for name, address in _given(environ))


def direct() -> OpenerDirector:
    """Return what asks this machine's own servers: without a proxy, whatever the environment says."""
    from urllib.request import ProxyHandler, build_opener  # every command looks at its proxies, few ask by HTTP

    return build_opener(ProxyHandler({}))


def _given(environ: MutableMapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in sorted(environ.items()) if name.lower() in NAMES and value)


def _lacking(address: str) -> str:
    scheme, found, _ = address.partition("://")
    if not found or scheme in SCHEMES:
        return ""
    if scheme not in SOCKS:
        return f"a proxy is {', '.join(f'{each}://' for each in (*SCHEMES, *SOCKS))}; use one of these"
    missing = [package for module, package in PACKAGES.items() if find_spec(module) is None]
    return f"a SOCKS proxy needs {' and '.join(missing)}: `pip install {' '.join(missing)}`" if missing else ""
