"""The HTML that the service writes: the frame of every page, tables, and the door."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from pipelines.serve.page.files import files

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFE = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
"""Headers of every answer that a browser shows or runs: its own scripts and nothing else."""


class Page(NamedTuple):
    """A page. `path`: in the URL; `name`: its module below `static/js/pages`; `shows`: one line; `tables`: the resources that
    it is made of, as paths below /table, for those who have no JavaScript."""

    path: str
    name: str
    title: str
    shows: str
    tables: tuple[str, ...]


PAGES = (
    Page("/", "overview", "Overview", "What was liquidated, whose positions, where, and how whole that is",
         ("liquidations/totals_overall", "liquidations/totals_by_coin?hours=24&order=-usd",
          "liquidations/totals_by_venue?hours=24",
          "liquidations/largest?order=rank", "market/stress?scope=market", "cascades/recent")),
    Page("/coin", "coin", "Coin", "Price, what was liquidated, and where the next liquidations are estimated",
         ("liquidations/max_pain", "liquidations/clusters", "levels/score", "price/24h")),
    Page("/funding", "funding", "Funding", "What longs pay shorts, at each venue",
         ("funding/oi_weighted", "funding/current", "funding/arbitrage_current")),
    Page("/open-interest", "interest", "Open interest", "What is open, where, and how that changed",
         ("open-interest/by_coin", "open-interest/change_by_coin", "open-interest/by_venue")),
    Page("/signals", "signals", "Signals", "What fired, of what it is made, and how often such signals came true",
         ("signals/current?fired=true", "signals/history", "signals/outcome", "signals/thresholds")),
    Page("/cascades", "cascades", "Cascades", "Bursts of liquidations, and one of them second by second",
         ("cascades/recent", "cascades/market_wide", "cascades/by_day")),
    Page("/position", "position", "Position", "Where a position would be liquidated, and what lies before that",
         ("liquidations/clusters", "contracts/leverage_tiers_as_of?is_current=true")),
    Page("/quality", "quality", "Data quality", "What was heard, what is missing, and why",
         ("quality/feed_states", "quality/feed_gaps", "liquidations/coverage_by_hour", "quality/frames_by_venue",
          "general/audit_last", "quality/dead_letters_summary")),
    Page("/sql", "sql", "SQL", "Any question, in DuckDB's SQL", ()),
)  # fmt: skip
BY_PATH = {page.path: page for page in PAGES}


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(
        loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def html(template: str, **given: object) -> str:
    """Return a template filled in; everything given is escaped."""
    return _templates().get_template(template).render(pages=PAGES, static=f"/static/{files().version}", **given)


def sent(body: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return HTML as an answer that runs nothing but the page's own scripts."""
    return Response(body, status.value, {**SAFE, "Cache-Control": "no-store"}, "text/html; charset=utf-8")
