"""KuCoin: its address. Facts: exchanges/kucoin-futures.md §2."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.venues.kucoin import rest
from collectors.venues.venue import REST_HOST, Venue, polled_only


class Hosts(BaseSettings):
    """KuCoin's address."""

    model_config = SettingsConfigDict(env_prefix="LIQ_KUCOIN_")

    rest: str = Field("https://api-futures.kucoin.com", pattern=REST_HOST, description="REST host; `/api/v1` is added")


def venue(hosts: Hosts | None = None) -> Venue:
    """Return KuCoin at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    polls, typical = rest.polls(hosts.rest), {rest.GROUP: 520}
    return polled_only("kucoin", rest.BUDGETS, polls, rest.page, rest.refusal, typical)
