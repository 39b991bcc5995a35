"""The tools served by the Model Context Protocol: `liq mcp` on standard input and output, `/mcp` of `liq serve` over HTTP."""

from collections.abc import Awaitable, Callable
from functools import wraps
from importlib.metadata import version
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from pipelines.serve.agents.tools import Tools
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service

NAME = "liquidation-warehouse"
INSTRUCTIONS = (
    "Liquidations, funding and open interest of crypto derivatives, from this machine's own warehouse. Begin with `brief`. "
    "Say with every figure how old it is (age_s), and `at least` where lower_bound is true. Estimates are no observations."
)
READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def server(service: Service) -> MCPServer[Any]:
    """Return a server of the tools."""
    made: MCPServer[Any] = MCPServer(NAME, instructions=INSTRUCTIONS, version=version(NAME), log_level="WARNING")
    tools = Tools(service)
    for tool in (
        tools.brief, tools.liquidation_totals, tools.largest_liquidations, tools.liquidation_clusters, tools.cascades,
        tools.funding, tools.open_interest, tools.position_check, tools.data_quality, tools.fit_for_backtest, tools.tables,
        tools.sql,
    ):  # fmt: skip
        made.tool(annotations=READS)(_told(tool))
    return made


def _told(tool: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return the tool with its problems as an agent hears them."""

    @wraps(tool)
    async def asked(*given: Any, **named: Any) -> Any:
        try:
            return await tool(*given, **named)
        except ProblemError as problem:
            raise ToolError(problem.detail) from None

    return asked
