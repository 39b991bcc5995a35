"""One request to a venue by REST, as polls and the backfill make it."""

import time

import httpx

from collectors.errors import NetworkError
from collectors.live.session import LARGEST_MESSAGE
from collectors.venues.venue import Answer, Params


async def ask(client: httpx.AsyncClient, url: str, params: Params, body: str = "") -> Answer:
    """Return the answer, byte for byte; with a `body`, which is JSON, by POST.

    Raises httpx.HTTPError, and NetworkError where it is larger than a frame may be.
    """
    found = bytearray()
    sent = {"content": body, "headers": {"Content-Type": "application/json"}} if body else {}
    async with client.stream("POST" if body else "GET", url, params=list(params), **sent) as response:  # type: ignore[arg-type]
        async for part in response.aiter_bytes():
            found += part
            if len(found) > LARGEST_MESSAGE:
                raise NetworkError(f"an answer of more than {LARGEST_MESSAGE} bytes")
    return Answer(response.status_code, dict(response.headers), bytes(found), time.time())
