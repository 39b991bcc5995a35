"""A warehouse on another machine: `liq serve`, asked over HTTP."""

from typing import Any

import httpx
import orjson
import pyarrow as pa

from pipelines.client.asking import AskError, Asking, Time, To, moment
from warehouse.errors import UnknownNameError
from warehouse.spelling import resolve

TIMEOUT_S = 60.0


class There(Asking):
    """A service. Rows come in pages, all as of the time of the first."""

    def __init__(self, address: str, token: str | None, to: To) -> None:
        super().__init__(to)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=address.rstrip("/"), headers=headers, timeout=TIMEOUT_S)
        self._paths: dict[str, str] = {}
        self._most_rows = 0

    def brief(self, coin: str) -> dict[str, Any]:
        """As Asking has it."""
        return dict(self._get(f"/v1/brief/{coin}", {}).json())

    def validate(self, instrument: str, since: Time, until: Time, venue: str = "") -> dict[str, Any]:
        """As Asking has it."""
        times = {"since": f"{moment(since).isoformat()}Z", "until": f"{moment(until).isoformat()}Z"}
        return dict(self._get("/v1/validate", {"instrument": instrument, "venue": venue, **times}).json())

    def views(self) -> list[str]:
        """As Asking has it."""
        return sorted(self._known())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _rows(self, name: str, given: dict[str, str], limit: int | None) -> tuple[pa.Table, dict[str, Any]]:
        known = self._known()
        try:
            path = known[resolve(name, list(known), "view")]
        except UnknownNameError as error:
            raise AskError(str(error)) from None
        query, parts, left = {**given, "format": "arrows"}, list[pa.Table](), limit
        while True:
            most = self._most_rows if left is None else min(left, self._most_rows)
            page, meta = _read(self._get(path, {**query, "limit": str(most)}))
            parts.append(page)
            left = None if left is None else left - page.num_rows
            if meta["next"] is None or left == 0:
                return pa.concat_tables(parts), {**meta, "rows": sum(each.num_rows for each in parts)}
            query = {**query, "cursor": meta["next"]}

    def _sql(self, query: str) -> tuple[pa.Table, dict[str, Any]]:
        found, meta = _read(self._answered("POST", "/v1/sql", json={"query": query, "format": "arrows"}))
        if meta["more"]:
            raise AskError(
                f"the service gives no more than {meta['rows']:,} rows of a query: use view, or a smaller LIMIT"
            )
        return found, meta

    def _known(self) -> dict[str, str]:
        """Return the path of each name."""
        if not self._paths:
            told = self._get("/v1/catalogue", {}).json()
            self._most_rows = told["most_rows"]
            for each in told["resources"]:
                self._paths.setdefault(each["name"], each["path"])
        return self._paths

    def _get(self, path: str, query: dict[str, str]) -> httpx.Response:
        return self._answered("GET", path, params=query)

    def _answered(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return an answer. Raises AskError with the service's own words."""
        try:
            answer = self._client.request(method, path, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AskError(f"{self._client.base_url} does not answer: {error or type(error).__name__}") from None
        if answer.is_success:
            return answer
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = f"it is no service of this kind (HTTP {answer.status_code})"
        raise AskError(str(detail))


def _read(answer: httpx.Response) -> tuple[pa.Table, dict[str, Any]]:
    rows = pa.ipc.open_stream(answer.content).read_all().replace_schema_metadata(None)
    return rows, orjson.loads(answer.headers["Liq-Meta"])
