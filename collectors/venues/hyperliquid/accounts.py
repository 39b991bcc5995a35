"""Whose positions are asked for: accounts of the leaderboard, of a file, and of a node's fills.

Positions are public. The largest accounts have most of open interest, so they are asked for more often.
"""

from pathlib import Path

import msgspec

from collectors import topics
from collectors.venues.venue import Listed, Page, Poll, symbol

ACCOUNTS = "accounts"
LARGE = 500
LARGE_EVERY_S, OTHERS_EVERY_S, LEADERBOARD_EVERY_S = 900.0, 7200.0, 86_400.0
COST = 2
BODY = '{"type":"clearinghouseState","user":"{}"}'
LEADERBOARD = "leaderboard"


class _Row(msgspec.Struct):
    ethAddress: str  # noqa: N815
    accountValue: str = "0"  # noqa: N815


class _Leaderboard(msgspec.Struct):
    leaderboardRows: list[_Row]  # noqa: N815


_decode = msgspec.json.Decoder(_Leaderboard).decode


def page(body: bytes) -> Page:
    """Return the accounts of a leaderboard that have something, the largest first. Raises msgspec.MsgspecError, ValueError."""
    worth = ((float(row.accountValue), row.ethAddress.lower()) for row in _decode(body).leaderboardRows)
    return Page(tuple(Listed(address) for value, address in sorted(worth, reverse=True) if value > 0))


def named(file: Path | None) -> tuple[str, ...]:
    """Return the addresses of a file, one a line; what is behind one is a remark. Raises OSError."""
    lines = file.read_text().split("\n") if file else []
    return tuple(line.split()[0].lower() for line in lines if line.strip().lower().startswith("0x"))


def polls(url: str, leaderboard: str, most: int) -> tuple[Poll, ...]:
    """Return the polls of at most so many accounts: the largest often, the others seldom."""
    parts = [((0, min(LARGE, most)), LARGE_EVERY_S), ((LARGE, most), OTHERS_EVERY_S)]
    found = tuple(
        Poll(
            "clearinghouseState", "positions of accounts, with liquidation prices", topics.TICKER, url, every_s,
            budget="weight", cost=COST, group=ACCOUNTS, of=symbol, body=BODY, part=part,
        )
        for part, every_s in parts
        if part[0] < part[1]
    )  # fmt: skip
    if not (leaderboard and found):
        return found
    # kept for a few days only, as it is no list of contracts and large (25 MB)
    listed = Poll(
        LEADERBOARD, "accounts by what they own", topics.TICKER, f"{leaderboard}/Mainnet/leaderboard", LEADERBOARD_EVERY_S,
        budget=LEADERBOARD, group=ACCOUNTS, lists=True,
    )  # fmt: skip
    return (listed, *found)
