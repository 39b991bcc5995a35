"""An answer as HTTP: whole, or 304 where whoever asks has it already."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


def reply(request: Request, body: bytes, media: str, tag: str, headers: Mapping[str, str]) -> Response:
    """Return an answer with its ETag."""
    own = {"ETag": tag, **headers}
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(None, HTTPStatus.NOT_MODIFIED.value, own)
    return Response(body, HTTPStatus.OK.value, own, media)
