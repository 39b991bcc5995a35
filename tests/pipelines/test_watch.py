"""The page of `liq watch`: what it says of a market, and that it fits the terminal."""

import asyncio
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.watch import figures, panels, sight
from pipelines.watch.choice import Choice, meant
from pipelines.watch.feeds import feeds
from pipelines.watch.live import Watch
from pipelines.watch.page import Seen, page
from pipelines.watch.sight import Quick, Slow, quick, slow
from pipelines.watch.words import age, at_least, heard, usd
from tests.pipelines.heard import heard as frames
from tests.pipelines.heard import table
from warehouse import lake
from warehouse.writer import append

NOW = datetime(2026, 10, 10, 12, 0, 30)  # noqa: DTZ001
COINS, VENUES = ("BTC", "ETH"), ("binance", "bybit")


def _liquidation(
    seconds: float, dollars: float, base: str = "BTC", venue: str = "bybit", **other: Any
) -> dict[str, Any]:
    at = NOW - timedelta(seconds=seconds)
    return {
        "ts_event": at, "ts_recv": at, "venue": venue, "symbol": f"{base}USDT", "instrument": f"{base}/USDT:USDT", "base": base,
        "quote": "USDT", "position_side": "long", "notional_usd": dollars, "qty_base": 1.0, "price": dollars,
        "completeness": "all" if venue == "bybit" else "partial", "source": "live",
        "event_key": int(1e6 * seconds), "occurrence": 0,
    } | other  # fmt: skip


@pytest.fixture
def crash(fresh_world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Quick, Slow]]:
    """What is seen of a world in which 24 million went in the last ten seconds, most of it longs, most of it bitcoin."""
    monkeypatch.setattr(sight, "utc_now", lambda: NOW)
    rows = [_liquidation(1 + n / 4, 1e6, "BTC" if n % 3 else "ETH", VENUES[n % 2]) for n in range(24)]
    rows.append(_liquidation(200, 3e6, "SOL", "okx", position_side="short"))
    with lake.open(fresh_world, read_only=False) as opened:
        append(opened, {"liquidations": table("liquidations", rows)})
        told = [
            frames(f"{venue}-public-1-aaaa", NOW - timedelta(minutes=1), NOW - timedelta(seconds=1)) for venue in VENUES
        ]
        append(opened, {"session_frames": table("session_frames", told)})
    with lake.open(fresh_world, unlocked=True) as opened:
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOW}'")
        yield quick(opened), slow(opened, None, None)


def _text(seen: Seen, choice: Choice, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    lines = console.render_lines(page(seen, choice, "live", NOW, width, height), pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize(("width", "height"), [(80, 23), (80, 40), (100, 30), (120, 39), (200, 60)])
def test_the_page_is_never_wider_or_higher_than_the_terminal(
    crash: tuple[Quick, Slow], width: int, height: int
) -> None:
    lines = _text(Seen(*crash), Choice(), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("24.0 M USD GONE IN 10 SECONDS" in line for line in lines)
    assert any("LIVE" in line for line in lines)
    assert "quit" in lines[-1]


def test_a_world_without_anything_says_that_it_waits() -> None:
    assert "Nothing is stored yet" in "\n".join(_text(Seen(), Choice(), 80, 24))


def test_many_millions_in_ten_seconds_are_shouted_about_and_few_are_not(crash: tuple[Quick, Slow]) -> None:
    told = figures.shout(crash[0].recent, NOW)
    assert told is not None
    assert (told.usd, told.long_share, told.lower_bound) == (24e6, 1.0, True)
    assert dict(told.parts) == {"BTC": 16e6, "ETH": 8e6}
    assert figures.shout(figures.chosen(crash[0].recent, Choice(base="ETH")), NOW) is None
    assert figures.shout(crash[0].recent, NOW + timedelta(minutes=5)) is None


def test_totals_say_of_themselves_whether_they_are_whole(crash: tuple[Quick, Slow]) -> None:
    rows = crash[1].totals
    by_venue = figures.totals(rows, "venue", 1, Choice())
    assert {venue: (of.usd, of.number) for venue, of in by_venue.items()} == {
        "binance": (12e6, 12), "bybit": (12e6, 12), "okx": (3e6, 1),
    }  # fmt: skip
    assert by_venue["binance"].lower_bound is True
    assert by_venue["bybit"].lower_bound is None, "nobody has said how much was heard"
    assert figures.overall(rows, 24, Choice(base="ETH", venue="binance")).usd == 4e6
    assert (at_least(12e6, True), at_least(12e6, None), at_least(12e6, False)) == ("≥ 12.0 M", "? 12.0 M", "12.0 M")


def test_a_day_is_never_other_than_its_first_hour_whatever_is_committed_while_they_are_read(
    fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "utc_now", lambda: NOW)
    left, read = [_liquidation(3, 5e6), _liquidation(2, 7e6)], sight._rows

    def meanwhile(*given: Any, **more: Any) -> sight.Rows:
        found = read(*given, **more)
        if left:
            with lake.open(fresh_world, read_only=False) as opened:
                append(opened, {"liquidations": table("liquidations", [left.pop()])})
        return found

    with lake.open(fresh_world, read_only=False) as opened:
        append(opened, {"liquidations": table("liquidations", [_liquidation(9, 1e6)])})
    monkeypatch.setattr(sight, "_rows", meanwhile)
    with lake.open(fresh_world, unlocked=True) as opened:
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOW}'")
        rows = slow(opened, None, None).totals
    assert not left
    assert {hours: figures.overall(rows, hours, Choice()).usd for hours in sight.HOURS} == dict.fromkeys(
        sight.HOURS, 1e6
    )


def test_only_what_is_chosen_is_shown(crash: tuple[Quick, Slow]) -> None:
    lines = _text(Seen(*crash), Choice(base="ETH", venue="binance"), 120, 39)
    listed = [line for line in lines if "LONG" in line or "SHORT" in line]
    assert listed
    assert not any("bybit" in line.split("││")[-1] for line in listed)


def test_totals_are_of_four_windows_and_bars_hatch_what_is_a_lower_bound(crash: tuple[Quick, Slow]) -> None:
    lines = _text(Seen(*crash), Choice(), 120, 39)
    head = next(number for number, line in enumerate(lines) if "1 h" in line and "24 h" in line)
    assert lines[head].split("│")[1].split()[:8] == ["1", "h", "4", "h", "12", "h", "24", "h"]
    whole = next(line for line in lines[head:] if "all " in line).split("│")[1]
    assert whole.count("≥ 27.0 M") == 4
    bitcoin, solana = (next(line for line in lines[head:] if f"│ {coin} " in line) for coin in ("BTC", "SOL"))
    assert (bitcoin.count("█"), bitcoin.count("▒")) == (6, 6), "half of it was sent by a feed that leaves some out"
    assert ("█" in solana, "▒" in solana) == (False, True)


def test_the_list_has_those_of_so_many_dollars(crash: tuple[Quick, Slow], fresh_world: Path) -> None:
    told = "\n".join(_text(Seen(*crash), Choice(least=1e6), 120, 39))
    assert "Last liquidations of 1.00 M USD or more" in told
    with lake.open(fresh_world, unlocked=True) as opened:
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOW}'")
        large = slow(opened, None, None, 2e6)
    assert [row["usd"] for row in large.last] == [3e6]


def _banner(crash: tuple[Quick, Slow], **changed: Any) -> str:
    lines = _text(Seen(crash[0]._replace(**{name: changed[name] for name in changed if name == "heard"}),
                       crash[1]._replace(**{name: changed[name] for name in changed if name != "heard"})),
                  Choice(), 120, 39)  # fmt: skip
    return lines[1]


def test_a_banner_says_that_nothing_is_stored_or_who_is_not_heard(crash: tuple[Quick, Slow]) -> None:
    old = [row | {"committed": NOW - timedelta(minutes=5)} for row in crash[0].heard]
    assert "STALE  nothing was stored for 5 min" in _banner(crash, heard=old)
    assert "STALE  nothing was stored in the last half hour" in _banner(crash, heard=[], states=[SILENT])
    committed = [row | {"committed": NOW} for row in crash[0].heard]
    told = _banner(crash, heard=committed, states=[SILENT])
    assert "PARTIAL  1 of 2 venues are not heard whole: bybit SILENT (x: no pong)" in told
    assert "STALE" not in _banner(crash, heard=committed)


SILENT = {"venue": "bybit", "channel": "x", "state": "SILENT", "reason": "no pong", "since": NOW, "measured_until": NOW}


def test_stress_is_shown_with_its_parts_or_as_not_known(crash: tuple[Quick, Slow]) -> None:
    row = {"scope": "market", "score": 0.62, "parts": 4, "liquidations": None, "imbalance": 1.0, "oi_flush": 0.5,
           "funding": 0.0, "volatility": 0.25}  # fmt: skip
    told = "\n".join(_text(Seen(crash[0], crash[1]._replace(stress=[row])), Choice(), 120, 39))
    assert "stress market 0.62 ▮▮▮▮▮▮▯▯▯▯  liquidations –  imbalance 1.00  OI flush 0.50" in told
    unknown = "\n".join(_text(Seen(crash[0], crash[1]._replace(stress=[])), Choice(base="BTC"), 120, 39))
    assert "stress of BTC: not known, 0 of 5 parts are" in unknown


def test_keys_choose_coin_and_venue() -> None:
    def after(*keys: str) -> Choice:
        choice = Choice()
        for key in keys:
            choice = choice.after(key, COINS, VENUES)
        return choice

    assert after("c") == Choice(base="BTC")
    assert after("c", "c", "c") == Choice()
    assert after("C") == Choice(base="ETH")
    assert after("v", "v") == Choice(venue="bybit")
    assert after("/", "e", "t", "\n") == Choice(base="ETH")
    assert after("/", "d", "o", "q") == Choice(typed="DOQ"), "q is a letter there"
    assert after("/", "x", "\x1b") == Choice()
    assert after("c", "v", "a") == Choice()
    assert after("q").ended
    assert [after(*"t" * number).least for number in range(5)] == [0, 1e4, 1e5, 1e6, 0]
    assert after("T").least == 1e6
    assert meant("xyz", COINS) == "XYZ"
    assert (meant("xbt", COINS), meant("Bitcoin", COINS)) == ("BTC", "BTC")


def _heard(**seconds: float) -> list[dict[str, Any]]:
    return [
        {"venue": venue, "what": "market", "newest": NOW - timedelta(seconds=old), "committed": NOW, "frames": 100}
        for venue, old in seconds.items()
    ]


def test_each_venue_has_the_state_that_its_feeds_are_in() -> None:
    states = [
        {"venue": "c", "channel": "x", "state": "SILENT", "reason": "no pong", "since": NOW, "measured_until": NOW}
    ]
    gaps = [{"venue": "d", "channels": 2, "reason": "disconnected", "share": 0.5}]
    found = feeds(_heard(a=2, b=40, c=2, d=2, e=400), states, gaps, NOW, grid_s=5)
    assert {feed.venue: feed.state for feed in found} == {
        "a": "LIVE",
        "b": "LATE",
        "c": "SILENT",
        "d": "GAP",
        "e": "GAP",
    }
    assert found[0].frames_s == 10
    assert "disconnected" in found[3].said
    assert feeds([], states, [], NOW, 5)[0].state == "GAP"
    assert feeds(_heard(a=40), [], [], NOW, grid_s=60)[0].state == "LIVE", "a minute's grid is not late after 40 s"


def test_numbers_have_three_digits_and_their_unit() -> None:
    assert [usd(each) for each in (0, 950, 1234, 81.76e6, 999.96e3, 2.5e9)] == [
        "0",
        "950",
        "1.23 k",
        "81.8 M",
        "1.00 M",
        "2.50 B",
    ]
    assert [age(each) for each in (0.42, 12, 300, 7200, 200_000)] == ["0.4 s", "12 s", "5 min", "2 h", "2 d"]
    assert [heard(each, 1) for each in (None, 1.0, 0.5)] == ["?", "all", "30 min"]


async def test_the_page_follows_the_lake_and_ends_on_q(fresh_world: Path) -> None:
    screen = _Terminal()
    out = Console(width=120, height=40, force_terminal=True, color_system=None, file=screen)
    watch, stop = Watch(out, fresh_world, "live"), asyncio.Event()
    shown = asyncio.create_task(watch.show(stop))
    while "Liquidated, USD" not in screen.getvalue():
        await asyncio.sleep(0.05)
    watch._pressed("q")
    await shown
    assert stop.is_set()


class _Terminal(io.StringIO):
    """A terminal of which all that was written is kept."""

    def isatty(self) -> bool:
        return True


def test_a_coins_price_is_the_newest_that_says_what_is_traded_and_an_old_one_tells_its_age(
    fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "utc_now", lambda: NOW)

    def mark(seconds: float, base: str, price: float) -> dict[str, Any]:
        at = NOW - timedelta(seconds=seconds)
        return {"venue": "binance", "symbol": f"{base}USDT", "base": base, "quote": "USDT", "mark_price": price, "ts": at,
                "ts_event": at, "ts_recv": at, "source": "live"}  # fmt: skip

    filled = _liquidation(2, 1e6, venue="binance", price=57_000.0, price_kind="fill_average")
    beyond = _liquidation(1, 1e6, price=55_000.0, price_kind="bankruptcy")
    other = _liquidation(3, 1e6, "AAVE", price=90.0, price_kind="bankruptcy")
    with lake.open(fresh_world, read_only=False) as opened:
        append(opened, {
            "liquidations": table("liquidations", [filled, beyond, other]),
            "mark_prices": table("mark_prices", [mark(40, "BTC", 64_000.0), mark(50, "AAVE", 100.0)]),
        })  # fmt: skip
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOW}'")
        seen = {row["base"]: row for row in slow(opened, None, None).prices}
    told = {base: str(panels.aged_price(row, NOW)) for base, row in seen.items()}
    assert told == {"BTC": "57,000", "AAVE": "100 50 s"}
    assert seen["BTC"]["move"] == pytest.approx(57 / 64 - 1)
