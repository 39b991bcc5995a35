"""The control port: what the market really did, what state it is in, and faults on demand."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from collectors.simulator.faults import FaultError
from collectors.simulator.truth import Truth


class Controlled(Protocol):
    """What the control port tells of and acts on: the simulator."""

    record: Truth

    def truth(self) -> dict[str, Any]: ...
    def state(self) -> dict[str, Any]: ...
    def fault(self, kind: str, venue: str, **details: Any) -> int: ...
    def quiet(self) -> None: ...
    def begin(self) -> None: ...


class Control:
    """GET /_truth (?rows=1: every liquidation as a JSON line), GET /_state, POST /_fault, POST /_quiet, POST /_begin."""

    def __init__(self, simulator: Controlled) -> None:
        self._simulator = simulator
        self.port = 0
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1. Raises OSError where the port is taken."""
        listening = socket.create_server(("127.0.0.1", port))
        self.port = listening.getsockname()[1]
        routes = [
            Route("/_truth", self._truth),
            Route("/_state", self._state),
            Route("/_fault", self._fault, methods=["POST"]),
            Route("/_quiet", self._quiet, methods=["POST"]),
            Route("/_begin", self._begin, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off", ws="none")
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close the port."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    async def _truth(self, request: Request) -> Response:
        if request.query_params.get("rows"):
            return StreamingResponse(self._simulator.record.lines(), media_type="application/x-ndjson")
        return JSONResponse(self._simulator.truth())

    async def _state(self, _: Request) -> Response:
        return JSONResponse(self._simulator.state())

    async def _fault(self, request: Request) -> Response:
        try:
            wanted: Any = await request.json()
            if not isinstance(wanted, dict):
                raise FaultError("a fault is a JSON object with kind and venue")
            return JSONResponse({"hit": self._simulator.fault(**wanted)})
        except (FaultError, ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)

    async def _begin(self, _: Request) -> Response:
        self._simulator.begin()
        return JSONResponse({"begun": True})

    async def _quiet(self, _: Request) -> Response:
        self._simulator.quiet()
        return JSONResponse({"quiet": True})


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: signals belong to whoever runs the simulator."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
