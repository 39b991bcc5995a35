"""Hyperliquid: its address. Facts: exchanges/hyperliquid.md §1, §2."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.venues.hyperliquid import rest
from collectors.venues.venue import REST_HOST, Venue, polled_only


class Hosts(BaseSettings):
    """Hyperliquid's address."""

    model_config = SettingsConfigDict(env_prefix="LIQ_HYPERLIQUID_")

    rest: str = Field("https://api.hyperliquid.xyz", pattern=REST_HOST, description="REST host; `/info` is added")


def venue(hosts: Hosts | None = None) -> Venue:
    """Return Hyperliquid at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    polls, typical = rest.polls(hosts.rest), {rest.GROUP: 220}
    return polled_only("hyperliquid", rest.BUDGETS, polls, rest.page, rest.refusal, typical)
