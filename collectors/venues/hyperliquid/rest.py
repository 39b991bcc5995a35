"""Hyperliquid by REST: what is polled and what it costs, and what an answer says. Facts: exchanges/hyperliquid.md §1, §3,
§4.

Everything is a POST to one address, which says what is wanted in its body.
"""

import msgspec

from collectors import topics
from collectors.venues.answers import refused
from collectors.venues.hyperliquid import accounts
from collectors.venues.venue import Answer, Listed, Page, Poll, Rate, Refusal, symbol

GROUP = "perps"
STATE_EVERY_S = 20.0
HOUR_S = 3600.0
BUDGETS = {"weight": Rate(1200, 60.0)}
LEADERBOARD_RATE = Rate(6, 3600.0)
"""Of its own host; not documented, a careful guess."""
COST = 20
"""Of what is asked here; a history costs one more for each twenty rows."""


class _Asset(msgspec.Struct):
    name: str
    isDelisted: bool = False  # noqa: N815


class _Meta(msgspec.Struct):
    universe: list[_Asset]


_meta = msgspec.json.Decoder(_Meta)


def page(body: bytes) -> Page:
    """Return the contracts that are traded, or the accounts of a leaderboard; there is one page."""
    if body.lstrip()[:40].find(b'"leaderboardRows"') > 0:
        return accounts.page(body)
    return Page(tuple(Listed(asset.name) for asset in _meta.decode(body).universe if not asset.isDelisted))


def refusal(answer: Answer) -> Refusal | None:
    """Return why an answer is no data: by its status."""
    return refused(answer, 30.0)


def polls(host: str) -> tuple[Poll, ...]:
    """Return all polls."""
    url, since = f"{host}/info", ("since", 6 * HOUR_S)
    return (
        Poll(
            "meta", "instruments", topics.REFERENCE, url, 600.0, budget="weight", cost=COST, group=GROUP, lists=True,
            body='{"type":"meta"}',
        ),
        Poll(
            "metaAndAssetCtxs", "running funding, open interest, mark, index", topics.TICKER, url, STATE_EVERY_S,
            budget="weight", cost=COST, body='{"type":"metaAndAssetCtxs"}',
        ),
        Poll(
            "fundingHistory", "settled funding", topics.FUNDING, url, HOUR_S, budget="weight", cost=COST + 1, group=GROUP,
            of=symbol, since=since, body='{"type":"fundingHistory","coin":"{}","startTime":{since}}',
        ),
    )  # fmt: skip
