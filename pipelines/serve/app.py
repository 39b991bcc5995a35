"""The service put together: paths, guard, problems, metrics, and the OpenAPI document."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipelines.serve import figures, openapi
from pipelines.serve.agents.server import server
from pipelines.serve.archive import routes as archive
from pipelines.serve.archive.sockets import Sessions, sockets
from pipelines.serve.asked import moment
from pipelines.serve.given import bad, only
from pipelines.serve.guard import Guard
from pipelines.serve.live.stream import stream
from pipelines.serve.page.routes import add_routes as add_page
from pipelines.serve.problems import ProblemError
from pipelines.serve.replies import reply
from pipelines.serve.service import Service
from pipelines.serve.settings import ServeSettings
from pipelines.serve.sql import sql
from pipelines.serve.standing import iso

log = logging.getLogger(__name__)

KEPT_FOR = "private, max-age=1"
FOR_GOOD = "private, max-age=60"


def application(world: Path, settings: ServeSettings) -> FastAPI:
    """Return the service of a world, to be run by an ASGI server."""
    service = Service(world, settings)
    agents = server(service)
    agents_app = agents.streamable_http_app(
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_warm(service)), asyncio.create_task(service.keeper.run())]
        try:
            async with agents.session_manager.run():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await service.close()

    app = FastAPI(title="liquidation warehouse", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    app.state.sessions = Sessions()
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)
    _add_routes(app)
    add_page(app)
    app.router.routes += agents_app.routes  # /mcp
    app.add_middleware(figures.Counted)
    app.add_middleware(Guard, settings=settings)
    return app


async def _warm(service: Service) -> None:
    """Look at the lake before anybody asks: the first look takes seconds."""
    with suppress(ProblemError):  # no lake yet: whoever asks hears of it
        looked = (service.standing() for _ in range(service.settings.readers - 1))  # by every connection
        await asyncio.gather(service.resources(), *looked)
        await service.standing()


def _add_routes(app: FastAPI) -> None:
    for path, handler, methods in (
        ("/health", _health, ["GET"]),
        ("/metrics", figures.metrics, ["GET"]),
        ("/openapi.json", _openapi, ["GET"]),
        ("/v1/catalogue", _catalogue, ["GET"]),
        ("/v1/brief/{coin:path}", _brief, ["GET"]),
        ("/v1/validate", _validate, ["GET"]),
        ("/v1/sql", sql, ["GET", "POST"]),
        ("/v1/stream", stream, ["GET"]),
        ("/replay", archive.replayed, ["GET"]),
        ("/v1/exchanges", archive.exchanges, ["GET"]),
        ("/v1/exchanges/{name}", archive.details, ["GET"]),
        ("/v1/data-feeds/{name}", archive.feed, ["GET"]),
        ("/v1/{name}/{kind}/{year}/{month}/{day}/{file}", archive.day, ["GET"]),
        ("/v1/{subject}/{name}", _rows, ["GET"]),
    ):
        app.add_api_route(path, handler, methods=methods, include_in_schema=False)
    app.add_api_websocket_route("/ws-replay", sockets)


async def _rows(request: Request, subject: str, name: str) -> Response:
    service: Service = request.app.state.service
    given, accept = request.query_params.multi_items(), request.headers.get("accept", "")
    made, is_now = await service.rows(f"/v1/{subject}/{name}", given, accept, service.settings.rows)
    headers = {**made.headers, "Cache-Control": KEPT_FOR if is_now else FOR_GOOD, "Vary": "Accept, Authorization"}
    return reply(request, made.body, made.media, made.headers["ETag"], headers)


async def _brief(request: Request, coin: str) -> Response:
    _only(request, ())
    if "\0" in coin or len(coin) > 100:
        raise ProblemError(HTTPStatus.NOT_FOUND, "no coin is called so")
    document, tag = await request.app.state.service.brief(coin)
    headers = {"Cache-Control": KEPT_FOR, "Vary": "Authorization"}
    return reply(request, orjson.dumps(document), "application/json", tag, headers)


async def _validate(request: Request) -> Response:
    given = _only(request, ("instrument", "venue", "since", "until"))
    for name in ("since", "until"):
        if name not in given:
            raise bad(f"{name} is needed, such as {name}=2026-11-01T00:00:00Z")
    times = moment(given["since"], "since"), moment(given["until"], "until")
    service: Service = request.app.state.service
    return _json(await service.validated(given.get("instrument", ""), given.get("venue", ""), *times))


async def _catalogue(request: Request) -> Response:
    _only(request, ())
    service: Service = request.app.state.service
    found = (await service.resources()).values()
    return _json({"most_rows": service.settings.rows, "resources": [
        {"path": each.path, "name": each.name, "kind": each.kind, "subject": each.subject, "shows": each.purpose,
         "a_row_is": each.grain, "parameters": [one.name for one in each.parameters], "columns": each.columns}
        for each in found
    ]})  # fmt: skip


async def _openapi(request: Request) -> Response:
    found = await request.app.state.service.resources()
    return _json(openapi.document(found.values(), request.app.state.service.settings))


async def _health(request: Request) -> Response:
    service: Service = request.app.state.service
    try:
        standing = await service.standing()
    except ProblemError as problem:
        return Response(orjson.dumps({"ok": False, "wrong": [problem.detail]}), 503, {}, "application/json")
    return _json({"ok": True, "data_to": iso(standing.data_to)})


def _only(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    return only(request.query_params.multi_items(), known)


def _json(told: Any) -> Response:
    return Response(orjson.dumps(told), 200, {"Cache-Control": KEPT_FOR}, "application/json")


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response(request.url.path)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = (
        "nothing is served here; /v1/catalogue lists what is" if status is HTTPStatus.NOT_FOUND else str(error.detail)
    )
    return ProblemError(status, detail, dict(error.headers or {})).response(request.url.path)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("failed path=%s", request.url.path, exc_info=error)
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the service; its log has it").response(
        request.url.path
    )
