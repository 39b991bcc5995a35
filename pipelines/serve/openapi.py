"""The OpenAPI document, made from the catalogue: what each path takes, with examples that run, and what it may answer."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pipelines.serve.archive.exchanges import DATASETS, EXCHANGES
from pipelines.serve.archive.feeds import MOST_MINUTES, MOST_OFFSET
from pipelines.serve.asked import MEDIA, OWN, PAGE
from pipelines.serve.problems import MEDIA as PROBLEM
from pipelines.serve.problems import SCHEMA
from pipelines.serve.resources import Parameter, Resource
from pipelines.serve.settings import ServeSettings
from warehouse.formats import Format

Document = dict[str, Any]
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER", "FLOAT", "DOUBLE", "DECIMAL")
WRONG = {
    "400": "What was asked for cannot be answered; detail says why",
    "401": "The token is missing or wrong",
    "403": "Another site's page asked, or this is switched off",
    "421": "The host name is not one of the service's",
    "500": "A fault of the service",
    "503": "No warehouse now, too much at once, or it took too long",
}
META: Document = {
    "type": "object",
    "description": "What the answer says of itself",
    "properties": {
        "as_of": {"type": ["string", "null"], "description": "The moment that the answer is of, UTC"},
        "data_to": {"type": ["string", "null"], "description": "When the newest stored record reached the log, UTC"},
        "age_s": {"type": ["number", "null"], "description": "Seconds from data_to to as_of"},
        "snapshot": {"type": "integer", "description": "The lake's snapshot"},
        "venues": {"type": "array", "items": {"type": "string"}},
        "completeness": {"type": ["array", "null"], "items": {"type": "string"},
                         "description": "The classes of the feeds; null for rows that are no liquidations"},
        "coverage_share": {"type": ["number", "null"], "description": "Share of the time in which the feeds were heard"},
        "lower_bound": {"type": ["boolean", "null"], "description": "Whether amounts are only known to be at least so much"},
        "rows": {"type": "integer"},
        "lake_changed": {"type": "boolean", "description": "Whether rows were stored since the page before"},
        "next": {"type": ["string", "null"], "description": "The cursor of the next page, null on the last one"},
    },
}  # fmt: skip


def document(found: Iterable[Resource], settings: ServeSettings) -> Document:
    """Return the document of what is served."""
    paths = {each.path: {"get": _rows(each, settings)} for each in found}
    told: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "liquidation warehouse",
            "version": version("liquidation-warehouse"),
            "description": "Liquidations, funding and open interest of derivatives, each answer with its age and wholeness.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {**_own(settings), **_archive(), **paths},
        "components": {"schemas": {"Problem": SCHEMA, "Meta": META}},
    }
    if settings.token:
        told["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        told["security"] = [{"token": []}]
    return told


def _rows(one: Resource, settings: ServeSettings) -> Document:
    own = {each.name for each in one.parameters}
    parameters = [_argument(each) for each in one.parameters]
    parameters += [
        _query(name, f"{name} is one of these, separated by commas; null and !null: has none, has one", {"type": "string"})
        for name in one.columns if name not in own and name not in OWN
    ]  # fmt: skip
    times = set() if one.time else {"since", "until"}
    parameters += [_query(name, text, _schema(name, settings)) for name, text in OWN.items() if name not in own | times]
    row = {"type": "object", "properties": {name: _column(kind) for name, kind in one.columns.items()}}
    return {
        "operationId": one.name if one.kind != "macro" else f"{one.name}_for",
        "tags": [one.subject],
        "summary": one.purpose,
        "description": f"A row is {one.grain}.",
        "parameters": parameters,
        "responses": {
            "200": {"description": "The rows", "content": {
                media: {"schema": _page(row) if kind is Format.JSON else {"type": "string"}} for kind, media in MEDIA.items()
            }},
            "304": {"description": "The asker has these rows"},
            **_problems("404", "406"),
        },
    }  # fmt: skip


def _page(row: Document) -> Document:
    return {
        "type": "object",
        "required": ["meta", "data"],
        "properties": {"meta": {"$ref": "#/components/schemas/Meta"}, "data": {"type": "array", "items": row}},
    }


def _argument(one: Parameter) -> Document:
    like = one.example or one.default
    told = _query(one.name, "", {"type": "string"}, required=not one.default)
    told["description"] = f"As {one.name} of the macro" + (
        f"; {one.default} where it is not given" if one.default else ""
    )
    return told | {"example": _plain(like)}


def _plain(sql: str) -> str:
    """Return a value of SQL as it stands in a query."""
    if sql.startswith("as_of()"):
        return "2026-11-01T12:00:00Z"
    text = sql.removeprefix("TIMESTAMP").removeprefix("INTERVAL").strip()
    return text.strip("'").replace(" ", "T") if sql.startswith("TIMESTAMP") else text.strip("'")


def _query(name: str, text: str, schema: Document, required: bool = False) -> Document:
    return {"name": name, "in": "query", "required": required, "description": text, "schema": schema}


def _schema(name: str, settings: ServeSettings) -> Document:
    if name == "limit":
        return {"type": "integer", "minimum": 1, "maximum": settings.rows, "default": min(PAGE, settings.rows)}
    if name == "format":
        return {"type": "string", "enum": [str(each) for each in MEDIA]}
    return {"type": "string", "format": "date-time"} if name in ("since", "until", "as_of") else {"type": "string"}


def _column(kind: str) -> Document:
    if kind.startswith(_NUMBERS):
        return {"type": ["number", "null"]}
    return {"type": ["boolean", "null"]} if kind == "BOOLEAN" else {"type": ["string", "null"]}


def _problems(*more: str) -> Document:
    texts = {**WRONG, "404": "Nothing is called so", "406": "In none of the formats that Accept names",
             "413": "The statement is too long"}  # fmt: skip
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": texts[status], "content": content} for status in sorted({*WRONG, *more})}


def _own(settings: ServeSettings) -> Document:
    coin = {"name": "coin", "in": "path", "required": True, "schema": {"type": "string"}, "example": "BTC"}
    times = [
        _query(name, "UTC, ISO 8601", {"type": "string", "format": "date-time"}, required=True)
        for name in ("since", "until")
    ]
    texts = [_query(name, text, {"type": "string"}) for name, text in
             (("instrument", "A contract, in our spelling or a venue's"), ("venue", "One venue; else all"))]  # fmt: skip
    query = _query("query", "One SELECT", {"type": "string"}, required=True) | {
        "example": "FROM liquidation_totals LIMIT 5"
    }
    others = [_query(name, OWN[name], _schema(name, settings)) for name in ("as_of", "format", "limit")]
    body = {"required": True, "content": {
        "application/json": {"schema": {"type": "object", "required": ["query"], "properties": {
            **{name: {"type": "string"} for name in ("query", "as_of", "format")}, "limit": {"type": "integer"},
        }, "additionalProperties": False}, "example": {"query": "FROM liquidation_totals LIMIT 5"}},
        "text/plain": {"schema": {"type": "string"}},
    }}  # fmt: skip
    tables = {
        "200": {"description": "The rows", "content": {media: {} for media in MEDIA.values()}},
        **_problems("413"),
    }
    return {
        "/health": {"get": _one("Whether the service has a warehouse to ask", [], {"503": {"description": "It has none"}})},
        "/v1/catalogue": {"get": _one("What is served: paths, columns, parameters", [], _problems())},
        "/v1/brief/{coin}": {"get": _one("One coin in one document, and how far to trust each part", [coin],
                                         {"304": {"description": "The asker has it"}, **_problems("404")})},
        "/v1/validate": {"get": _one("Whether a stretch of time is fit for a backtest, and why not", [*texts, *times],
                                     _problems("404"))},
        "/v1/sql": {
            "get": {"summary": "A query of yours", "parameters": [query, *others], "responses": tables},
            "post": {"summary": "A query of yours", "requestBody": body, "responses": tables},
        },
    }  # fmt: skip


def _archive() -> Document:
    text, exchange = {"type": "string"}, {"type": "string", "enum": list(EXCHANGES)}
    name = _in_path("name", exchange)
    times = [_query("from", "UTC, ISO 8601; whole minutes", {"type": "string", "format": "date-time"}, required=True)]
    numbers = [
        _query("offset", "So many minutes later", {"type": "integer", "minimum": 0, "maximum": MOST_OFFSET}),
        _query("sliceSize", "So many minutes", {"type": "integer", "minimum": 1, "maximum": MOST_MINUTES}),
        _query("filters", "JSON: a list of channel and symbols", text),
    ]
    day = [name, _in_path("kind", {"type": "string", "enum": list(DATASETS)})]
    day += [_in_path(each, text) for each in ("year", "month", "day", "file")]
    lines = {"200": {"description": "A frame a line, after its time", "content": {"application/x-ndjson": {}}}}
    table = {"200": {"description": "CSV, gzipped", "content": {"application/gzip": {}}}}
    options = _query("options", "JSON: exchange, from, to, filters, withDisconnects", text, required=True)
    return {
        "/replay": {"get": {
            "summary": "Frames of a stretch of time, as one stream", "parameters": [options],
            "responses": {"200": {"description": "An object a line", "content": {"application/x-json-stream": {}}},
                          **_problems("404")},
        }},
        "/v1/exchanges": {"get": _one("Exchanges, as an archive of many venues names them", [], _problems(), "array")},
        "/v1/exchanges/{name}": {"get": _one("Channels and contracts of one, and since when", [name], _problems("404"))},
        "/v1/data-feeds/{name}": {"get": {
            "summary": "Frames as they came", "parameters": [name, *times, *numbers], "responses": lines | _problems("404"),
        }},
        "/v1/{name}/{kind}/{year}/{month}/{day}/{file}": {"get": {
            "summary": "A day of a contract", "parameters": day, "responses": table | _problems("404"),
        }},
    }  # fmt: skip


def _in_path(name: str, schema: Document) -> Document:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _one(summary: str, parameters: list[Document], wrong: Document, kind: str = "object") -> Document:
    found = {"description": "Found", "content": {"application/json": {"schema": {"type": kind}}}}
    return {"summary": summary, "parameters": parameters, "responses": {"200": found, **wrong}}
