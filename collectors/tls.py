"""What a REST client of a venue never does: go on without the encryption it began with."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx


async def _stays_encrypted(response: httpx.Response) -> None:
    """Raise where an answer by https leads to an address without it."""
    if response.has_redirect_location and response.url.scheme == "https":
        scheme = response.url.join(response.headers["location"]).scheme
        if scheme != "https":
            raise httpx.UnsupportedProtocol(f"{response.url.host} leads from https to {scheme}")


ENCRYPTED: Mapping[str, list[Callable[..., Any]]] = {"response": [_stays_encrypted]}
"""The `event_hooks` of every client that asks a venue; certificates are checked by httpx as it does by default."""
