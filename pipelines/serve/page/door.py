"""How a browser shows that it may ask: the token is given once, and a cookie that is made of it is sent from then on."""

import hashlib
import hmac
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from pydantic import SecretStr
from starlette.datastructures import URL, Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from pipelines.serve.page.shell import SAFE, html, sent
from pipelines.serve.problems import ProblemError

COOKIE = "liq_page"
KEPT_S = 30 * 24 * 3600
ENTER, FILES = "/enter", "/static/"
"""What answers without the token: where it is given, and the page's own files, which have nothing of the data."""
MOST_FORM = 8192


def is_open(path: str) -> bool:
    """Tell whether a path of the page answers everybody."""
    return path == ENTER or path.startswith(FILES)


def _is_token(token: SecretStr, given: str) -> bool:
    """Tell whether the text is the token."""
    return hmac.compare_digest(given.encode(), token.get_secret_value().encode())


def has_cookie(token: SecretStr, cookies: str) -> bool:
    """Tell whether a Cookie header has the cookie that the token's owner was given."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return False
    return found is not None and hmac.compare_digest(found.value.encode(), _made(token).encode())


def knocked(token: SecretStr, scope: Scope) -> Response | None:
    """Return what a browser that opens a page without the cookie gets: the cookie where `?token=` is right, else the door.

    None for whoever is no browser.
    """
    if scope["method"] not in ("GET", "HEAD") or "text/html" not in Headers(scope=scope).get("accept", ""):
        return None
    request = Request(scope)
    if "token" in request.query_params:
        return _let_in(token, request, request.query_params["token"], str(request.url.remove_query_params("token")))
    target = urlencode({"next": _own(str(request.url))})
    return RedirectResponse(f"{ENTER}?{target}", HTTPStatus.SEE_OTHER.value, {"Cache-Control": "no-store"})


async def door(request: Request) -> Response:
    """Answer /enter: the form for the token."""
    if request.app.state.service.settings.token is None:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER.value)
    return sent(html("enter.html", page=None, is_wrong=False, next=_own(request.query_params.get("next", "/"))))


async def enter(request: Request) -> Response:
    """Answer the form: the cookie, and on to the page that was asked for."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is no token")
    given = parse_qs(body.decode("utf-8", "replace"))
    token = request.app.state.service.settings.token
    return _let_in(token, request, given.get("token", [""])[0], given.get("next", ["/"])[0])


def _let_in(token: SecretStr | None, request: Request, given: str, then: str) -> Response:
    if token is None or not _is_token(token, given):
        return sent(html("enter.html", page=None, is_wrong=True, next=_own(then)), HTTPStatus.UNAUTHORIZED)
    headers = {**SAFE, "Location": _own(then), "Set-Cookie": _cookie(token, request.url.scheme == "https")}
    return Response(None, HTTPStatus.SEE_OTHER.value, headers)


def _own(target: str) -> str:
    """Return the path and query of a target: nobody is sent to another site."""
    url = URL(target)
    path = "/" + url.path.lstrip("/\\")
    return f"{path}?{url.query}" if url.query else path


def _cookie(token: SecretStr, is_https: bool) -> str:
    """Return the Set-Cookie header: no script reads it, and no page of another site makes a browser send it."""
    secure = "; Secure" if is_https else ""
    return f"{COOKIE}={_made(token)}; Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Strict{secure}"


def _made(token: SecretStr) -> str:
    """Return the cookie's value: it shows that its owner knew the token, and does not contain it."""
    return hmac.new(token.get_secret_value().encode(), b"the page's cookie", hashlib.sha256).hexdigest()
