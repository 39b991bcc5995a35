"""Hyperliquid: its address. Facts: exchanges/hyperliquid.md §1, §2."""

from pydantic import DirectoryPath, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.venues.hyperliquid import node, rest
from collectors.venues.venue import REST_HOST, Venue, polled_only


class Hosts(BaseSettings):
    """Hyperliquid's address."""

    model_config = SettingsConfigDict(env_prefix="LIQ_HYPERLIQUID_")

    rest: str = Field("https://api.hyperliquid.xyz", pattern=REST_HOST, description="REST host; `/info` is added")
    node: DirectoryPath | None = Field(
        None,
        description="data folder of a node of yours that writes fills (node_fills_by_block or node_fills are in it); followed "
        "for liquidations, which no public feed has. Unset: its liquidations are not covered",
    )


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Hyperliquid at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    polls, typical = rest.polls(hosts.rest), {rest.GROUP: 220}
    folders = node.fills(hosts.node) if hosts.node else ()
    return polled_only("hyperliquid", rest.BUDGETS, polls, rest.page, rest.refusal, typical, folders)
