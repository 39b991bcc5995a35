"""The tools of an agent, asked by the protocol's own client: over HTTP, and as a process of its own."""

import os
import subprocess
import sys
from typing import Any

import orjson
import pytest
from mcp import Client, StdioServerParameters

from tests.pipelines.serve.conftest import Served

POSITION = {"side": "long", "contract": "BTC", "venue": "bybit", "entry": 60_000.0, "size": 1.0, "leverage": 10.0}
ASKED: dict[str, dict[str, Any]] = {
    "brief": {"coin": "btc"},
    "liquidation_totals": {"coin": "BTC", "hours": 3},
    "largest_liquidations": {"number": 5},
    "liquidation_clusters": {"coin": "BTC"},
    "cascades": {},
    "funding": {"coin": "BTC"},
    "open_interest": {"coin": "BTC"},
    "position_check": POSITION | {"maintenance_margin_rate": 0.004, "add_margin": 500.0, "stop": 58_000.0},
    "data_quality": {},
    "fit_for_backtest": {"instrument": "BTC/USDT:USDT", "since": "2026-10-01"},
    "tables": {},
    "sql": {"query": "SELECT count(*) AS n FROM liquidations"},
}


def _way(served: Served, over_http: bool) -> Any:
    if over_http:
        return f"http://127.0.0.1:{served.client.base_url.port}/mcp"
    env = {**os.environ, "LIQ_DATA": str(served.world)}
    return StdioServerParameters(command=sys.executable, args=["-m", "liq", "mcp"], env=env)


@pytest.mark.parametrize("over_http", [True, False], ids=["over HTTP", "as a process"])
async def test_every_tool_is_listed_and_answers(served: Served, over_http: bool) -> None:
    async with Client(_way(served, over_http)) as client:
        listed = (await client.list_tools()).tools
        assert {tool.name for tool in listed} == ASKED.keys()
        assert all(tool.annotations and tool.annotations.read_only_hint and tool.description for tool in listed)
        found = {name: await client.call_tool(name, given) for name, given in ASKED.items()}
        for name, result in found.items():
            assert not result.is_error, (name, result.content)
        told = {name: orjson.loads(result.content[0].text) for name, result in found.items()}
        assert told["sql"]["data"] == [{"n": 300}]
        assert told["brief"]["base"] == "BTC"
        assert told["liquidation_totals"]["meta"]["completeness"] == ["all", "partial"]
        assert len(told["largest_liquidations"]["data"]) == 5
        assert told["position_check"]["data"]["liquidation_price"] == _liq_position(served)
        assert told["position_check"]["meta"]["venues"] == ["bybit"]
        no_table = await client.call_tool("position_check", POSITION)
        assert (no_table.is_error, "maintenance margin rate" in no_table.content[0].text) == (True, True)
        wrong = await client.call_tool("funding", {"coin": "BTX"})
        assert (wrong.is_error, "did you mean BTC?" in wrong.content[0].text) == (True, True)
        refused = await client.call_tool("sql", {"query": "FROM read_text('/etc/passwd')"})
        assert (refused.is_error, "not allowed" in refused.content[0].text) == (True, True)


def _liq_position(served: Served) -> float:
    """Return the liquidation price that `liq position` prints."""
    command = [sys.executable, "-m", "liq", "position", "long", "BTC", "--venue", "bybit", "--entry", "60000", "--size", "1",
               "--leverage", "10", "--mmr", "0.004", "--format", "json"]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, "LIQ_DATA": str(served.world)}, capture_output=True, check=True, timeout=60
    )
    return float(orjson.loads(done.stdout)["liquidation_price"])
