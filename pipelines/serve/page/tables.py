"""Any path of /v1 as an HTML table that needs no JavaScript: /table/liquidations/totals_by_coin?hours=24."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from pipelines.serve.page.shell import html
from pipelines.serve.service import Service

ROWS = 500


class Cell(NamedTuple):
    """What is written into a cell, and where it leads."""

    text: str
    link: str = ""


class Column(NamedTuple):
    """A column; `is_number`: written flush right."""

    name: str
    is_number: bool


async def table(request: Request, path: str) -> str:
    """Return a resource's rows as a page. Raises ProblemError as /v1 does."""
    service: Service = request.app.state.service
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "format"]
    asked = given if any(name == "limit" for name, _ in given) else [*given, ("limit", str(ROWS))]
    made, _ = await service.rows(f"/v1/{path}", asked, "application/json", service.settings.rows)
    found = orjson.loads(made.body)
    resource = (await service.resources())[f"/v1/{path}"]
    rows: list[dict[str, Any]] = found["data"]
    named = list(rows[0] if rows else resource.columns)
    query = f"?{urlencode(given)}" if given else ""
    return html(
        "table.html", page=None, name=resource.name, shows=resource.purpose, grain=resource.grain, told=told(found["meta"]),
        csv=f"/v1/{path}?{urlencode([*given, ('format', 'csv')])}", json=f"/v1/{path}{query}",
        sql_page=f"/sql?{urlencode({'query': sql(resource.name, given)})}",
        columns=[Column(name, _is_number(rows, name)) for name in named],
        rows=[[Cell(_text(row[name])) for name in named] for row in rows],
        next=_next(path, given, found["meta"]["next"]),
    )  # fmt: skip


async def tables(request: Request) -> str:
    """Return the list of everything that can be had as a table."""
    service: Service = request.app.state.service
    found = (await service.resources()).values()
    rows = [
        [Cell(each.subject), Cell(each.name, f"/table/{each.path.removeprefix('/v1/')}"), Cell(each.purpose)]
        for each in found
        if not any(not parameter.default for parameter in each.parameters)
    ]
    columns = [Column(name, False) for name in ("subject", "name", "shows")]
    return html(
        "table.html", page=None, name="Everything there is", shows="Every view, table and macro of the warehouse.", grain="",
        told="", csv="/v1/catalogue", json="/v1/catalogue", sql_page="/sql", columns=columns, rows=rows, next=None,
    )  # fmt: skip


def sql(name: str, given: list[tuple[str, str]]) -> str:
    """Return a query of the same rows to begin with in the console."""
    kept = [
        (column, value) for column, value in given if column not in ("order", "limit", "columns", "as_of", "cursor")
    ]
    where = " AND ".join(f"{column} = '{value.replace(chr(39), chr(39) * 2)}'" for column, value in kept)
    return f"FROM {name}" + (f" WHERE {where}" if where else "")


def told(meta: dict[str, Any]) -> str:
    """Return in a line what an answer says of itself."""
    parts = [f"as of {meta['as_of'][:19].replace('T', ' ')} UTC"]
    if meta.get("age_s") is not None:
        parts.append(f"data {meta['age_s']:,.0f} s old")
    if meta.get("venues"):
        parts.append(f"venues: {', '.join(meta['venues'])}")
    if meta.get("completeness"):
        parts.append(f"completeness: {', '.join(meta['completeness'])}")
    if meta.get("coverage_share") is not None:
        parts.append(f"heard {meta['coverage_share']:.1%} of the time")
    if meta.get("lower_bound"):
        parts.append("totals are lower bounds")
    return " · ".join(parts)


def _next(path: str, given: list[tuple[str, str]], cursor: str | None) -> str | None:
    if cursor is None:
        return None
    return f"/table/{path}?{urlencode([*((n, v) for n, v in given if n != 'cursor'), ('cursor', cursor)])}"


def _is_number(rows: list[dict[str, Any]], name: str) -> bool:
    found = next((row[name] for row in rows if row[name] is not None), None)
    return isinstance(found, int | float) and not isinstance(found, bool)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return (
        f"{value:,.8g}"
        if isinstance(value, float) and abs(value) < 1e7
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
