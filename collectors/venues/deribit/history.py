"""What Deribit keeps of the past, and how it is asked. Facts: exchanges/deribit.md §2, §3; of candles its page
`get_tradingview_chart_data`.

Trades with their flags are on a host of their own, since the launch; of the newest ninety minutes flags may be missing.
"""

from collectors import topics
from collectors.history.endpoint import Asked, Endpoint, History
from collectors.venues.deribit import rest
from collectors.venues.deribit.stream import Hosts
from collectors.venues.venue import Listed

CHART, BARS = "get_tradingview_chart_data", 1000
"""How many candles an answer may have is not documented; those who page ask for four times as many."""
LENGTHS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "1d": "1D"}


def _named(item: Listed) -> Asked:
    return Asked(item.symbol, (("instrument_name", item.symbol),))


def _perpetual(item: Listed) -> Asked | None:
    return _named(item) if item.funding else None


def history(hosts: Hosts | None = None) -> History:
    """Return Deribit's history at `hosts`, by default those of the environment."""
    hosts = hosts or Hosts()
    return History(
        (
            Endpoint(
                "liquidations", rest.TRADES, topics.LIQUIDATION, f"{hosts.history_rest}{rest.API}/{rest.TRADES}",
                rest.GROUP, _named, "start_timestamp", "end_timestamp", rest.MOST_TRADES, "requests", "newest_first",
                params=(("sorting", "desc"),), times=rest.trade_times, limit_param="count",
            ),
            Endpoint(
                "klines", CHART, topics.KLINE, f"{hosts.rest}{rest.API}/{CHART}", rest.GROUP, _named, "start_timestamp",
                "end_timestamp", BARS, "requests", "bars", times=rest.ticks,
                sparse=True, is_documented=False, lengths=LENGTHS, length_param="resolution",
                limit_param="",
            ),
            Endpoint(
                "funding", rest.RATES, topics.FUNDING, f"{hosts.rest}{rest.API}/{rest.RATES}", rest.GROUP, _perpetual,
                "start_timestamp", "end_timestamp", rest.MOST_RATES, "requests", "newest_first", times=rest.rate_times,
                limit_param="",
            ),
        ),
        {},
    )  # fmt: skip
