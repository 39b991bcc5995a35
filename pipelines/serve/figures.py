"""The service's own metrics, for Prometheus: requests, refusals, durations, rows, bytes, answers that are kept, processes for
SQL that were killed."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REQUESTS = Counter("liq_serve_requests", "Requests answered", ["path", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "liq_serve_request_duration_seconds", "Time until a request was answered", ["path"], registry=REGISTRY,
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30),
)  # fmt: skip
REFUSED = Counter(
    "liq_serve_refusals", "Requests refused for who asked: no token, another site, a foreign host name", ["status"],
    registry=REGISTRY,
)  # fmt: skip
ROWS = Counter("liq_serve_rows", "Rows of answers", ["path"], registry=REGISTRY)
BYTES = Counter("liq_serve_sent_bytes", "Bytes of answers", ["path"], registry=REGISTRY)
KEPT_REQUESTS = Counter(
    "liq_serve_kept_requests", "Questions that a new answer was there for (kept), an old one (old), or none (made)",
    ["kind", "answer"], registry=REGISTRY,
)  # fmt: skip
KEPT_MADE = Counter(
    "liq_serve_kept_made", "Answers made to be kept, for who asked and in the background", ["kind"], registry=REGISTRY
)
KEPT_ANSWERS = Gauge("liq_serve_kept_answers", "Answers that are kept", ["kind"], registry=REGISTRY)
KEPT_BYTES = Gauge("liq_serve_kept_bytes", "Bytes of kept answers", ["kind"], registry=REGISTRY)
KEPT_SINCE = Gauge(
    "liq_serve_kept_oldest_timestamp_seconds", "When the oldest answer that is kept new was made; now, where none is", ["kind"],
    registry=REGISTRY,
)  # fmt: skip
KILLED = Counter("liq_serve_sandbox_kills", "Processes for SQL of others that were killed", registry=REGISTRY)
KNOWN = (
    "/health",
    "/metrics",
    "/openapi.json",
    "/v1/catalogue",
    "/v1/validate",
    "/v1/sql",
    "/v1/stream",
    "/mcp",
    "/replay",
)


class Counted:
    """Counts every request once it is answered, by a path without what was asked for: its labels stay few."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, path, status, sent = time.monotonic(), label(scope["path"]), 500, 0

        async def noted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            REQUESTS.labels(path, status).inc()
            SECONDS.labels(path).observe(time.monotonic() - began)
            BYTES.labels(path).inc(sent)


def label(path: str) -> str:
    """Return a path as a label: one of a handful."""
    if path in KNOWN:
        return path
    for folder in ("/v1/brief", "/v1/exchanges", "/v1/data-feeds"):
        if path.startswith(f"{folder}/") or path == folder:
            return folder
    if path.endswith(".csv.gz"):
        return "/v1/days"
    return "/v1/rows" if path.startswith("/v1/") else "other"


def kept(kind: str, answers: int, size: int, age_s: float) -> None:
    """Set what is kept of a kind of answers: how many, bytes, the age of the oldest that is kept new."""
    KEPT_ANSWERS.labels(kind).set(answers)
    KEPT_BYTES.labels(kind).set(size)
    KEPT_SINCE.labels(kind).set(time.time() - age_s)


async def metrics(request: Request) -> Response:
    """Answer /metrics."""
    request.app.state.service.keeper.measure()
    return Response(generate_latest(REGISTRY), media_type="text/plain; version=0.0.4; charset=utf-8")
