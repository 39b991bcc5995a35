"""Who may ask: the token, the host name asked for, and the page that asks. Before anything else is done with a request."""

import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from pipelines.serve.figures import REFUSED
from pipelines.serve.page import door
from pipelines.serve.problems import ProblemError
from pipelines.serve.settings import ServeSettings

OPEN = ("/health", "/metrics")
"""What answers without the token: whether the service is alive, how much it is asked, and nothing of the data."""


class Guard:
    """Refuses what may not be asked.

    Without a token only this machine reaches the service, and its browsers are the danger: a foreign page whose name resolves
    to 127.0.0.1 (DNS rebinding) is known by the host name that it asks for, one that asks across sites by its Origin, or by
    what the browser says of it (Sec-Fetch-Site).
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with what is wrong."""
        problem = self._wrong(scope) if scope["type"] in ("http", "websocket") else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        REFUSED.labels(problem.status.value).inc()
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(problem.response(scope["path"]))
        else:
            await (self._door(scope, problem) or problem.response(scope["path"]))(scope, receive, send)

    def _wrong(self, scope: Scope) -> ProblemError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._settings.token is None and not self._is_known(host):
            return ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this host name is not one of the service's; LIQ_SERVE_NAMES adds one",
            )
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "")
        if (site.lower() == "cross-site" and not _is_link(scope, headers)) or (
            origin and urlsplit(origin).netloc.lower() != host.lower()
        ):
            return ProblemError(HTTPStatus.FORBIDDEN, "another site's page may not ask here")
        if scope["path"] not in OPEN and not door.is_open(scope["path"]) and not self._is_let_in(headers):
            return ProblemError(
                HTTPStatus.UNAUTHORIZED, "send the token as `Authorization: Bearer …`", {"WWW-Authenticate": "Bearer"}
            )
        return None

    def _door(self, scope: Scope, problem: ProblemError) -> Response | None:
        """Return where a browser without the token is led, None where something else is wrong."""
        token = self._settings.token
        return door.knocked(token, scope) if token and problem.status is HTTPStatus.UNAUTHORIZED else None

    def _is_known(self, host: str) -> bool:
        name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
        return name in self._settings.known_hosts

    def _is_let_in(self, headers: Headers) -> bool:
        token = self._settings.token
        if token is None or door.has_cookie(token, headers.get("cookie", "")):
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.encode(), token.get_secret_value().encode())


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Tell whether a browser follows a link of another site to a page, which that site cannot read."""
    return (
        scope.get("method") == "GET"  # a WebSocket has none
        and not scope["path"].startswith("/v1/")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
