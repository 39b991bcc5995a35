"""`liq mcp`: the warehouse as tools of an agent."""

import asyncio
import logging

import typer

from collectors.logs import log_to_stderr
from pipelines.serve.agents.server import server
from pipelines.serve.service import Service
from pipelines.serve.settings import ServeSettings
from warehouse.worlds import told_world

app = typer.Typer()


@app.command()
def mcp() -> None:
    """Serve the warehouse to an agent by the Model Context Protocol, on standard input and output; it only reads.

    `liq serve` has the same tools at /mcp.
    """
    log_to_stderr(logging.INFO)
    service = Service(told_world(), ServeSettings())

    async def run() -> None:
        try:
            await server(service).run_stdio_async()
        finally:
            await service.close()

    asyncio.run(run())
