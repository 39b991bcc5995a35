"""Hyperliquid: its address. Facts: exchanges/hyperliquid.md §1, §2."""

from pydantic import DirectoryPath, Field, FilePath
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.venues.hyperliquid import accounts, node, rest
from collectors.venues.hyperliquid.accounts import ACCOUNTS, LEADERBOARD
from collectors.venues.venue import REST_HOST, Beside, Venue, polled_only


class Hosts(BaseSettings):
    """Hyperliquid's address."""

    model_config = SettingsConfigDict(env_prefix="LIQ_HYPERLIQUID_")

    rest: str = Field("https://api.hyperliquid.xyz", pattern=REST_HOST, description="REST host; `/info` is added")
    leaderboard: str = Field(
        "https://stats-data.hyperliquid.xyz",
        pattern=f"{REST_HOST}|^$",
        description="host of the leaderboard, whose accounts are asked for their positions; empty: it is not asked",
    )
    accounts: FilePath | None = Field(
        None, description="file of further accounts, an address a line, which are asked for their positions first"
    )
    accounts_most: int = Field(
        5000, ge=0, description="most accounts that are asked for their positions, the largest first; 0: none"
    )
    node: DirectoryPath | None = Field(
        None,
        description="data folder of a node of yours that writes fills (node_fills_by_block or node_fills are in it); followed "
        "for liquidations, which no public feed has. Unset: its liquidations are not covered",
    )


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Hyperliquid at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    own = accounts.polls(f"{hosts.rest}/info", hosts.leaderboard, hosts.accounts_most)
    budgets = rest.BUDGETS | ({LEADERBOARD: rest.LEADERBOARD_RATE} if own and hosts.leaderboard else {})
    most = hosts.accounts_most
    beside = {ACCOUNTS: Beside(most, accounts.named(hosts.accounts), most // 2)} if own else {}
    polls, typical = (*rest.polls(hosts.rest), *own), {rest.GROUP: 220}
    folders = node.fills(hosts.node) if hosts.node else ()
    return polled_only("hyperliquid", budgets, polls, rest.page, rest.refusal, typical, folders, beside)
