"""Whose positions are asked for: accounts of the leaderboard, of a file, and of a node's fills.

Positions are public. The largest accounts have most of open interest, so they are asked for more often.
"""

import re
from pathlib import Path

import msgspec

from collectors import topics
from collectors.errors import ConfigurationError
from collectors.venues.venue import Listed, Page, Poll, symbol

ACCOUNTS = "accounts"
ADDRESS = re.compile(r"0x[0-9a-f]{40}")
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
    sound = ((value, address) for value, address in worth if value > 0 and ADDRESS.fullmatch(address))
    return Page(tuple(Listed(address) for _, address in sorted(sound, reverse=True)))


def named(file: Path | None) -> tuple[str, ...]:
    """Return the addresses of a file, one a line; what follows one, or a #, is a remark. Raises OSError, ConfigurationError."""
    lines = [line.split()[0] for line in (file.read_text().splitlines() if file else []) if line.split("#")[0].strip()]
    if wrong := [word for word in lines if not ADDRESS.fullmatch(word.lower())]:
        raise ConfigurationError(f"LIQ_HYPERLIQUID_ACCOUNTS={file}: {wrong[0][:60]!r} is no address")
    return tuple(word.lower() for word in lines)


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
    listed = Poll(
        LEADERBOARD, "accounts by what they own", topics.TICKER, f"{leaderboard}/Mainnet/leaderboard", LEADERBOARD_EVERY_S,
        budget=LEADERBOARD, group=ACCOUNTS, lists=True, is_kept=False,
    )  # fmt: skip
    return (listed, *found)
