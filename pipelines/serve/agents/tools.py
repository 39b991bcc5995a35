"""The tools: each a question that people ask, with an answer that is short and says how far to trust it."""

from typing import Any, Literal

import orjson

from pipelines.serve.asked import moment
from pipelines.serve.service import Service, now
from warehouse.formats import Format

ROWS = 50
ROWS_OF_SQL = 200

Told = dict[str, Any]


class Tools:
    """What an agent may ask. All of it only reads; each answer says how old and how complete it is."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def brief(self, coin: str) -> Told:
        """One coin at a glance: liquidations, open interest, funding, ratios, RSI, clusters, stress, each with its trust."""
        return (await self._service.brief(coin))[0]

    async def liquidation_totals(self, coin: str = "", hours: int = 24) -> Told:
        """USD liquidated over the last hours (any number), per coin and venue; lower_bound: at least so much."""
        return await self._rows("/v1/liquidations/totals_for", hours=str(hours), base=coin, order="-usd")

    async def largest_liquidations(self, coin: str = "", number: int = 10) -> Told:
        """The largest single liquidations of the last 24 hours, of one coin or of all."""
        return await self._rows("/v1/liquidations/largest", base=coin, order="-usd", limit=str(min(number, ROWS)))

    async def liquidation_clusters(self, coin: str) -> Told:
        """Where most would be liquidated next: dense price zones, an estimate; score_verdict says how good such maps were."""
        return await self._rows("/v1/liquidations/clusters", base=coin, order="rank")

    async def cascades(self, coin: str = "", number: int = 20) -> Told:
        """Bursts of liquidations of the last 7 days, the newest first: whose positions, USD, and what the price did."""
        return await self._rows("/v1/cascades/recent", base=coin, limit=str(min(number, ROWS)))

    async def funding(self, coin: str) -> Told:
        """The running funding rate of a coin's contracts at each venue, comparable across intervals (rate_8h, a year)."""
        return await self._rows("/v1/funding/current", base=coin)

    async def open_interest(self, coin: str) -> Told:
        """Open interest of a coin at each venue, in USD and coins."""
        return await self._rows("/v1/open-interest/by_venue", base=coin, order="-oi_usd")

    async def position_check(
        self,
        side: Literal["long", "short"],
        contract: str,
        venue: str,
        entry: float,
        size: float,
        leverage: float | None = None,
        margin: float | None = None,
        maintenance_margin_rate: float | None = None,
        add_margin: float | None = None,
        close: float | None = None,
        hold_hours: float | None = None,
        stop: float | None = None,
    ) -> Told:
        """Where a position is liquidated, how far that is, which estimated clusters lie before it, and a stop outside them.

        size: coins if linear, USD if inverse; leverage or margin (settle currency) is needed. add_margin, close (size) and
        hold_hours (funding): what each by itself would change. maintenance_margin_rate: if the venue's table is not known.
        """
        numbers = {"entry": entry, "size": size, "leverage": leverage, "margin": margin, "mmr": maintenance_margin_rate,
                   "add_margin": add_margin, "close": close, "hold_hours": hold_hours, "stop": stop}  # fmt: skip
        given = {name: repr(value) for name, value in numbers.items() if value is not None}
        return await self._service.position({"side": side, "contract": contract, "venue": venue, **given}, now())

    async def data_quality(self) -> Told:
        """Whether each feed is heard now (LIVE, SUSPECT, SILENT), and what was missed of late, with reasons."""
        states = await self._rows("/v1/quality/feed_states")
        gaps = await self._rows("/v1/quality/feed_gaps", order="-start", limit="20")
        return {"meta": states["meta"], "feeds": states["data"], "gaps": gaps["data"]}

    async def fit_for_backtest(self, instrument: str, since: str, until: str = "") -> Told:
        """Whether a stretch of time is fit for a backtest of a contract: coverage, gaps, missing values. Times are UTC."""
        times = moment(since, "since"), moment(until, "until") if until else now()
        return await self._service.validated(instrument, "", *times)

    async def tables(self) -> Told:
        """What can be queried: every view, table of bars and macro with what it shows, for the tool sql."""
        found = (await self._service.resources()).values()
        return {"tables": [{"name": each.name, "shows": each.purpose, "columns": list(each.columns)} for each in found]}

    async def sql(self, query: str) -> Told:
        """One SELECT (DuckDB's SQL) over the views, tables and macros; at most 200 rows."""
        body, meta = await self._service.sql(query, now(), Format.JSON, ROWS_OF_SQL)
        return {"meta": meta, "data": orjson.loads(body)}

    async def _rows(self, path: str, **given: str) -> Told:
        query = [(name, value) for name, value in ({"limit": str(ROWS)} | given).items() if value]
        made, _ = await self._service.rows(path, query, "application/json", ROWS)
        told: Told = orjson.loads(made.body)
        return told
