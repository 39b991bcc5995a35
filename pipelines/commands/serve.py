"""`liq serve`: the warehouse over HTTP."""

import logging
from typing import Annotated

import typer
import uvicorn

from collectors.logs import log_to_stderr
from pipelines.serve.app import application
from pipelines.serve.settings import ServeSettings
from warehouse.worlds import told_world

AT_ONCE, KEEP_ALIVE_S, HEADERS_BYTES = 200, 30, 64 * 1024
MESSAGE_BYTES = 64 * 1024
"""The longest message that a WebSocket client may send."""

log = logging.getLogger(__name__)

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen at; else LIQ_SERVE_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; else LIQ_SERVE_PORT, else 8710.", min=1, max=65535)] = None,
) -> None:
    """Serve the warehouse read-only: a page for your browser, views and macros over HTTP, SQL in a sandbox.

    Ctrl-C stops it. The page is at http://127.0.0.1:8710; /openapi.json describes what programs may ask, /v1/catalogue lists
    what there is. It listens on this machine alone, unless LIQ_SERVE_HOST says otherwise; then every request must carry the
    token of LIQ_SERVE_TOKEN, for which a browser asks once.
    """
    log_to_stderr(logging.INFO)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = ServeSettings(**given)  # type: ignore[arg-type]
    world = told_world()
    log.info("serving world=%s address=http://%s:%d", world, settings.host, settings.port)
    uvicorn.run(
        application(world, settings), host=settings.host, port=settings.port, http="h11", loop="asyncio",
        ws="websockets-sansio", ws_max_size=MESSAGE_BYTES,
        log_config=None, access_log=False, server_header=False, limit_concurrency=AT_ONCE, timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=HEADERS_BYTES, timeout_graceful_shutdown=5,
    )  # fmt: skip
