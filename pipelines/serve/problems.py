"""What went wrong, as RFC 9457 has it: application/problem+json with type, title, status and detail."""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

MEDIA = "application/problem+json"


class ProblemError(Exception):
    """An answer that is no data. `detail`: one line that the asker can act on; `more`: further members of the document."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    def response(self, path: str) -> Response:
        """Return it as an answer to a request for `path`."""
        told = {
            "type": "about:blank", "title": self.status.phrase, "status": self.status.value, "detail": self.detail,
            "instance": path, **self.more,
        }  # fmt: skip
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(told), self.status.value, headers, MEDIA)


class BusyError(ProblemError):
    """There is no answer in time, as too much else is asked: 503."""

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do about it"},
        "instance": {"type": "string"},
    },
}
"""The document as OpenAPI describes it."""
