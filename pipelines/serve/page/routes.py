"""The paths of the page: HTML, its files, the door, and data that /v1 has no path for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from pipelines.serve import position
from pipelines.serve.answers import enveloped, tag
from pipelines.serve.asked import moment
from pipelines.serve.brief import plain
from pipelines.serve.given import bad, only
from pipelines.serve.kept import Kept
from pipelines.serve.page import candles, door, matrix, series
from pipelines.serve.page.files import files
from pipelines.serve.page.lately import Lately
from pipelines.serve.page.shell import BY_PATH, SAFE, html, sent
from pipelines.serve.page.spans import Span, span
from pipelines.serve.page.tables import table, tables
from pipelines.serve.problems import ProblemError
from pipelines.serve.replies import reply
from pipelines.serve.service import Service, now
from pipelines.serve.standing import aged, times
from warehouse.lake import Lake

KEPT_FOR = "private, max-age=1"
BEHIND_S = 60.0
"""Who comes back to what was shown a minute ago sees that first; charts ask again by themselves."""
FOR_EVER = "public, max-age=31536000, immutable"

Work = Callable[[Lake, str, Span, str, Lately], Any]


def add_routes(app: FastAPI) -> None:
    """Add the page to the service."""
    service: Service = app.state.service
    lately = Lately()
    app.state.page = Kept(
        "page",
        service.keeper,
        lambda lake, asked: {each: _told(service, lake, each, now(), lately) for each in asked},
        lambda told: len(told.data),
        behind_s=BEHIND_S,
    )
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


def _of(work: Callable[[Lake, str, Span], Any]) -> Work:
    return lambda lake, base, asked, _, __: work(lake, base, asked)


DATA: dict[str, Work] = {
    "candles": candles.candles,
    "heard": lambda lake, _, asked, *__: series.heard(lake, asked),
    "lag": lambda lake, *_: series.lag(lake),
    "liquidated": _of(series.liquidated),
    "large": _of(series.large),
    "funding": _of(series.funding),
    "interest": lambda lake, base, asked, _, lately: series.interest(lake, base, asked, lately),
    "ratios": _of(series.ratios),
}
FOR_ALL_COINS = ("heard", "lag", "liquidated")


class Question(NamedTuple):
    """What the page asks for, of a coin (empty: of all), a range, and the venue that gives the candles (empty: any)."""

    what: str
    coin: str
    span: str
    venue: str


class Told(NamedTuple):
    """Data, written, and what is said of them. `tag`: their ETag."""

    data: bytes
    meta: dict[str, Any]
    tag: str


async def _data(request: Request, what: str) -> Response:
    """Answer with `what` of a coin and a range, as {"meta": …, "data": …}."""
    if what not in DATA:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"the page asks for {', '.join(DATA)}")
    given = only(request.query_params.multi_items(), ("coin", "range", "as_of", "venue"))
    if "coin" not in given and what not in FOR_ALL_COINS:
        raise bad("coin is needed, such as coin=BTC")
    question = Question(what, given.get("coin", ""), given.get("range", "1d"), given.get("venue", ""))
    told = await _asked(request, question, given)
    meta = told.meta if "as_of" in given else aged(told.meta, now())
    return reply(request, enveloped(told.data, meta), "application/json", told.tag, {"Cache-Control": KEPT_FOR})


async def _map(request: Request, coin: str) -> Response:
    given = only(request.query_params.multi_items(), ("range", "as_of"))
    told = await _asked(request, Question("map", coin, given.get("range", "1d"), ""), given)
    return reply(request, told.data, "application/octet-stream", told.tag, {"Cache-Control": "private, max-age=20"})


async def _asked(request: Request, question: Question, given: Mapping[str, str]) -> Told:
    """Return what is asked for: as of now what is kept for all who ask the same."""
    service: Service = request.app.state.service
    if "as_of" in given:
        as_of = moment(given["as_of"], "as_of")
        return await service.readers.read(lambda lake: _told(service, lake, question, as_of, Lately()))
    kept: Kept[Question, Told] = request.app.state.page
    return await kept.get(question)


def _told(service: Service, lake: Lake, question: Question, as_of: datetime, lately: Lately) -> Told:
    lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
    base = service.names.of(lake)("base", question.coin) if question.coin else ""
    asked = span(question.span, as_of)
    if question.what == "map":
        drawn = matrix.matrix(lake, base, asked, lately)
        return Told(drawn, {}, tag(drawn))
    found = DATA[question.what](lake, base, asked, question.venue, lately)
    data = [plain(row) for row in found] if isinstance(found, list) else found
    meta = {**times(lake, as_of), "base": base or None, "venues": _venues(data)}
    written = orjson.dumps(data)
    return Told(written, meta, tag(written))


async def _position(request: Request) -> Response:
    given = only(request.query_params.multi_items(), position.KNOWN)
    return _json(await request.app.state.service.position(given, _moment(given)))


def _moment(given: dict[str, str]) -> datetime:
    return moment(given["as_of"], "as_of") if "as_of" in given else now()


def _venues(data: Any) -> list[str]:
    if isinstance(data, dict):
        return list(data.get("venues", []))
    names_of = [row.get("venue") or row.get("venues") or "" for row in data]
    return sorted({name for text in names_of for name in text.split(", ") if name})


def _json(told: Any) -> Response:
    return Response(orjson.dumps(told), 200, {"Cache-Control": KEPT_FOR}, "application/json")
