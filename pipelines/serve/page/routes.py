"""The paths of the page: HTML, its files, the door, and data that /v1 has no path for."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from pipelines.serve.asked import moment
from pipelines.serve.brief import plain
from pipelines.serve.given import bad, only
from pipelines.serve.page import candles, door, matrix, position, series
from pipelines.serve.page.files import files
from pipelines.serve.page.shell import BY_PATH, SAFE, html, sent
from pipelines.serve.page.spans import Span, span
from pipelines.serve.page.tables import table, tables
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service, now
from pipelines.serve.standing import times
from warehouse.lake import Lake

FOR_EVER = "public, max-age=31536000, immutable"

Work = Callable[[Lake, str, Span, dict[str, str]], Any]


def add_routes(app: FastAPI) -> None:
    """Add the page to the service."""
    for path in BY_PATH:
        app.add_api_route(path, _page, methods=["GET"], include_in_schema=False)
    for path, handler, methods in (
        ("/coin/{coin:path}", _page, ["GET"]),
        (door.ENTER, door.door, ["GET"]),
        (door.ENTER, door.enter, ["POST"]),
        ("/static/{version}/{name:path}", _file, ["GET"]),
        ("/table", _table, ["GET"]),
        ("/table/{path:path}", _table, ["GET"]),
        ("/page/coins", _coins, ["GET"]),
        ("/page/map/{coin:path}", _map, ["GET"]),
        ("/page/position", _position, ["GET"]),
        ("/page/{what}", _data, ["GET"]),
    ):
        app.add_api_route(path, handler, methods=methods, include_in_schema=False)


async def _page(request: Request) -> Response:
    path = request.url.path if request.url.path in BY_PATH else "/coin"
    return sent(html("shell.html", page=BY_PATH[path]))


async def _file(request: Request, version: str, name: str) -> Response:
    found = files().found.get(name)
    if found is None or version != files().version:
        raise ProblemError(HTTPStatus.NOT_FOUND, "no such file of the page")
    headers = {**SAFE, "Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if found.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, 200, {**headers, "Content-Encoding": "gzip"}, found.media)
    return Response(found.plain, 200, headers, found.media)


async def _table(request: Request, path: str = "") -> Response:
    return sent(await (table(request, path) if path else tables(request)))


async def _coins(request: Request) -> Response:
    only(request.query_params.multi_items(), ())
    return _json({"coins": await request.app.state.service.readers.read(series.coins)})


def _candles(lake: Lake, base: str, asked: Span, given: dict[str, str]) -> Any:
    return candles.candles(lake, base, asked, given.get("venue", ""))


def _heard(lake: Lake, _: str, asked: Span, __: dict[str, str]) -> Any:
    return series.heard(lake, asked)


def _lag(lake: Lake, _: str, __: Span, ___: dict[str, str]) -> Any:
    return series.lag(lake)


def _of(work: Callable[[Lake, str, Span], Any]) -> Work:
    return lambda lake, base, asked, _: work(lake, base, asked)


DATA: dict[str, Work] = {
    "candles": _candles,
    "heard": _heard,
    "lag": _lag,
    "liquidated": _of(series.liquidated),
    "large": _of(series.large),
    "funding": _of(series.funding),
    "interest": _of(series.interest),
    "ratios": _of(series.ratios),
}
FOR_ALL_COINS = ("heard", "lag", "liquidated")


async def _data(request: Request, what: str) -> Response:
    """Answer with `what` of a coin and a range, as {"meta": …, "data": …}."""
    if what not in DATA:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"the page asks for {', '.join(DATA)}")
    given = only(request.query_params.multi_items(), ("coin", "range", "as_of", "venue"))
    if "coin" not in given and what not in FOR_ALL_COINS:
        raise bad("coin is needed, such as coin=BTC")
    as_of = _moment(given)
    service: Service = request.app.state.service

    def work(lake: Lake) -> dict[str, Any]:
        lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
        base = service.names.of(lake)("base", given["coin"]) if given.get("coin") else ""
        asked = span(given.get("range", "1d"), as_of)
        found = DATA[what](lake, base, asked, given)
        data = [plain(row) for row in found] if isinstance(found, list) else found
        return {"meta": {**times(lake, as_of), "base": base or None, "venues": _venues(data)}, "data": data}

    return _json(await service.readers.read(work))


async def _map(request: Request, coin: str) -> Response:
    given = only(request.query_params.multi_items(), ("range", "as_of"))
    as_of = _moment(given)

    def work(lake: Lake) -> bytes:
        lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
        return matrix.matrix(lake, service.names.of(lake)("base", coin), span(given.get("range", "1d"), as_of))

    service: Service = request.app.state.service
    body = await service.readers.read(work)
    return Response(body, 200, {"Cache-Control": "private, max-age=20"}, "application/octet-stream")


async def _position(request: Request) -> Response:
    given = only(request.query_params.multi_items(), position.KNOWN)
    as_of = _moment(given)
    service: Service = request.app.state.service

    def work(lake: Lake) -> dict[str, Any]:
        lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
        data = position.position(lake, given)
        return {"meta": {**times(lake, as_of), "venues": [given["venue"]]}, "data": data}

    return _json(await service.readers.read(work))


def _moment(given: dict[str, str]) -> datetime:
    return moment(given["as_of"], "as_of") if "as_of" in given else now()


def _venues(data: Any) -> list[str]:
    if isinstance(data, dict):
        return list(data.get("venues", []))
    names_of = [row.get("venue") or row.get("venues") or "" for row in data]
    return sorted({name for text in names_of for name in text.split(", ") if name})


def _json(told: Any) -> Response:
    return Response(orjson.dumps(told), 200, {"Cache-Control": "private, max-age=1"}, "application/json")
