"""`/metrics` and `/health` of one process, for Prometheus and for whoever restarts it. Off unless a port is set.

A metric is named `liq_…`, in base units. No label is a symbol, a session or anything else without bound.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

Health = Callable[[], list[str]]
"""Returns what is wrong with the process, nothing where it is well."""


class Figures(Collector):
    """Metrics that are made anew from what the process knows whenever they are asked for."""

    def __init__(self, made: Callable[[], Iterable[Metric]]) -> None:
        self._made = made

    def collect(self) -> Iterable[Metric]:
        """Return the metrics as of now."""
        return self._made()


@contextmanager
def serving(port: int | None, figures: Iterable[Collector], health: Health, host: str = "127.0.0.1") -> Iterator[None]:
    """Answer /metrics and /health on `port` while the block runs; None: do not. A port that is taken is told in the log.

    /health answers 200, or 503 with what is wrong, as JSON.
    """
    if port is None:
        yield
        return
    try:
        server = _server(host, port, _registry(figures), health)
    except OSError as error:
        log.warning("metrics host=%s port=%d state=off reason=%r", host, port, str(error))
        yield
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics address=http://%s:%d/metrics", host, port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _registry(figures: Iterable[Collector]) -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # memory, processor time, open files
    GCCollector(registry=registry)
    for each in figures:
        registry.register(each)
    return registry


def _server(host: str, port: int, registry: CollectorRegistry, health: Health) -> ThreadingHTTPServer:
    class Answers(_Answers):
        answers: ClassVar = {"/metrics": lambda: _metrics(registry), "/health": lambda: _health(health)}

    server = ThreadingHTTPServer((host, port), Answers)
    server.daemon_threads = True
    return server


def _metrics(registry: CollectorRegistry) -> tuple[int, str, bytes]:
    return 200, CONTENT_TYPE_LATEST, generate_latest(registry)


def _health(health: Health) -> tuple[int, str, bytes]:
    wrong = health()
    told = {"state": "needs you" if wrong else "good", "wrong": wrong}
    return 503 if wrong else 200, "application/json", json.dumps(told).encode() + b"\n"


class _Answers(BaseHTTPRequestHandler):
    """Answers one request; `answers` by path: status, type and body."""

    answers: ClassVar[dict[str, Callable[[], tuple[int, str, bytes]]]] = {}
    timeout = 10

    def do_GET(self) -> None:
        """Answer a request, 404 for a path that is not there."""
        made = self.answers.get(self.path.partition("?")[0])
        status, kind, body = made() if made else (404, "text/plain", b"/metrics and /health are here\n")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing of each request."""
