"""/v1/sql: a query of whoever asks, in the sandbox."""

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from pipelines.serve.answers import enveloped
from pipelines.serve.asked import MEDIA, format_asked, moment, rows_asked
from pipelines.serve.given import bad, only
from pipelines.serve.problems import ProblemError
from pipelines.serve.sandbox.allowed import LONGEST
from pipelines.serve.service import Service, now
from warehouse.formats import Format

KNOWN = ("query", "as_of", "format", "limit")
MOST_BODY = LONGEST * 4


async def sql(request: Request) -> Response:
    """Answer the query of the URL (GET), or of a JSON object or the text that was sent (POST). Raises ProblemError."""
    service: Service = request.app.state.service
    if not service.settings.sql:
        raise ProblemError(HTTPStatus.FORBIDDEN, "SQL is switched off here: LIQ_SERVE_SQL")
    given = await _given(request)
    kind, as_of = format_asked(given.get("format")), moment(given["as_of"], "as_of") if "as_of" in given else now()
    most = rows_asked(given.get("limit"), service.settings.rows, service.settings.rows)
    body, meta = await service.sql(given["query"], as_of, kind, most)
    headers = {"Liq-Meta": orjson.dumps(meta).decode(), "Cache-Control": "no-store"}
    return Response(enveloped(body, meta) if kind is Format.JSON else body, HTTPStatus.OK.value, headers, MEDIA[kind])


async def _given(request: Request) -> dict[str, str]:
    given: list[tuple[str, Any]] = request.query_params.multi_items()
    if request.method == "POST":
        body = await _body(request)
        is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        given += _object(body).items() if is_json else [("query", body)]
    query = only(given, KNOWN)
    if not query.get("query", "").strip():
        raise bad("query is needed, such as query=FROM liquidation_totals")
    return query


async def _body(request: Request) -> str:
    taken = bytearray()
    try:
        async for part in request.stream():
            taken += part
            if len(taken) > MOST_BODY:
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a statement has at most {LONGEST:,} letters")
        return taken.decode()
    except (UnicodeDecodeError, ClientDisconnect):
        raise bad("the statement is no UTF-8 text") from None


def _object(body: str) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad(f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise bad('the body is an object such as {"query": "FROM liquidation_totals"}')
    return {name: str(value) if type(value) is int else value for name, value in found.items()}
