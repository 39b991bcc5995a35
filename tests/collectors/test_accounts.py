"""What is no instrument and is asked for all the same: accounts that are listed, named by the operator, or seen elsewhere."""

import asyncio
import json
from pathlib import Path

import pytest

from collectors.errors import ConfigurationError
from collectors.polls import listings
from collectors.polls.listings import Listings, Seen
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.venues.hyperliquid.accounts import named
from collectors.venues.known import VENUES
from collectors.venues.venue import Beside, Listed, Poll, symbol
from tests.collectors.sink import Frames

ACCOUNT = "0x" + "0" * 37


def _accounts(*names: str) -> tuple[Listed, ...]:
    return tuple(map(Listed, names))


def test_first_come_those_of_the_operator_then_the_first_listed_then_the_latest_seen_each_once() -> None:
    seen = Seen()
    seen.add(["c", "d", "a", "e"])
    found = Listings(["accounts"], {"accounts": Beside(10, ("x", "b"), 2)}, {"accounts": seen})
    assert [one.symbol for one in found.all["accounts"]] == ["x", "b", "e", "a", "d", "c"]
    found.take("accounts", _accounts("a", "b", "y", "z"))
    assert [one.symbol for one in found.all["accounts"]] == ["x", "b", "a", "e", "d", "c", "y", "z"]


def test_an_account_that_the_list_no_longer_has_is_still_asked_for_where_it_is_named() -> None:
    found = Listings(["perps", "accounts"], {"accounts": Beside(10, ("a",))})
    for group, listed in (("perps", _accounts("P", "Q")), ("accounts", _accounts("a", "b"))):
        found.take(group, listed)
        found.take(group, listed[1:])
    assert found.gone == {"P"}
    assert [one.symbol for one in found.all["accounts"]] == ["a", "b"]


async def test_a_group_that_nobody_lists_is_not_waited_for() -> None:
    async with asyncio.timeout(10):
        await Listings(["perps"], {"accounts": Beside(10)}).known("accounts")


def test_of_those_seen_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MOST_SEEN", 3)
    seen = Seen()
    seen.add("abc")
    seen.add("ad")
    assert list(seen) == ["d", "a", "c"]


def test_a_poll_of_a_part_asks_for_that_part_of_the_list() -> None:
    poll = Poll("x", "", "", "", 60.0, group="accounts", of=symbol, part=(1, 3))
    assert poll.values({"accounts": _accounts("a", "b", "c", "d")}) == ["b", "c"]
    assert poll.values({"accounts": _accounts("a")}) == []


def test_the_largest_accounts_of_a_leaderboard_come_first_and_who_has_nothing_is_left_out() -> None:
    worth = (("A1", "5.5"), ("A2", "70"), ("A3", "0.0"), ("A4", "-1"), ('"}', "80"))
    rows = [
        {"ethAddress": f"{ACCOUNT}0{address}", "accountValue": value, "displayName": None} for address, value in worth
    ]
    body = json.dumps({"leaderboardRows": rows})
    assert [one.symbol for one in VENUES["hyperliquid"]().page(body.encode()).listed] == [
        f"{ACCOUNT}0a2",
        f"{ACCOUNT}0a1",
    ]


def test_accounts_are_asked_for_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def parts() -> list[tuple[int, int]]:
        return [poll.part for poll in VENUES["hyperliquid"]().polls if poll.channel == "clearinghouseState"]

    (tmp_path / "own.txt").write_text(f"# mine\n{ACCOUNT.upper().replace('X', 'x')}ABC  a friend\n\n  # none\n")
    monkeypatch.setenv("LIQ_HYPERLIQUID_ACCOUNTS", str(tmp_path / "own.txt"))
    assert VENUES["hyperliquid"]().beside["accounts"].first == (f"{ACCOUNT}abc",)
    assert parts() == [(0, 500), (500, 5000)]
    (tmp_path / "wrong.txt").write_text("0x12\n")
    with pytest.raises(ConfigurationError, match="'0x12' is no address"):
        named(tmp_path / "wrong.txt")
    monkeypatch.setenv("LIQ_HYPERLIQUID_ACCOUNTS_MOST", "20")
    monkeypatch.setenv("LIQ_HYPERLIQUID_LEADERBOARD", "")
    assert parts() == [(0, 20)]
    assert not [poll for poll in VENUES["hyperliquid"]().polls if poll.group == "accounts" and poll.lists]
    monkeypatch.setenv("LIQ_HYPERLIQUID_ACCOUNTS_MOST", "0")
    assert (parts(), VENUES["hyperliquid"]().beside) == ([], {})


async def test_who_traded_in_a_nodes_fills_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = tmp_path / "node_fills_by_block" / "hourly" / "20261130" / "9"
    hour.parent.mkdir(parents=True)
    hour.write_text(f'{{"block_number":1,"events":[["{ACCOUNT}abc",{{}}],["{ACCOUNT}def",{{}}]]}}\n')
    monkeypatch.setenv("LIQ_HYPERLIQUID_NODE", str(tmp_path))
    sink, venue = Frames(), VENUES["hyperliquid"]()
    collector = Collector(venue, sink, CollectorSettings(), followed=tmp_path / "followed")
    following = asyncio.create_task(collector._follow(venue.folders[0]))
    await sink.until(lambda: sink.told("stopped"))
    collector._followed["node_fills_by_block"].stop()
    await asyncio.wait_for(following, 30)
    assert list(collector._seen["accounts"]) == [f"{ACCOUNT}def", f"{ACCOUNT}abc"]
    assert sink.data == [], "a line without a liquidation is no frame"
