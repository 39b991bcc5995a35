"""CoinEx: its address, and that it has no socket with what is collected. Facts: exchanges/coinex.md §1."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.venues.coinex import rest
from collectors.venues.venue import REST_HOST, Venue, polled_only


class Hosts(BaseSettings):
    """CoinEx's address."""

    model_config = SettingsConfigDict(env_prefix="LIQ_COINEX_")

    rest: str = Field("https://api.coinex.com", pattern=REST_HOST, description="REST host; `/v2/futures` is added")


def venue(hosts: Hosts | None = None) -> Venue:
    """Return CoinEx at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    polls, typical = rest.polls(hosts.rest), {rest.GROUP: 210}
    return polled_only("coinex", rest.BUDGETS, polls, rest.page, rest.refusal, typical)
