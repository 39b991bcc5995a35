"""A poll of what happens reads on from where it was, in as many pages as it takes."""

import dataclasses
import json
from typing import Any

import msgspec
import pytest

from collectors.polls import catching_up
from collectors.polls.catching_up import CatchingUp
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.simulator import Simulator
from collectors.topics import LIQUIDATION
from collectors.venues.known import VENUES
from collectors.venues.venue import Newest, Params
from tests.collectors.local_rest import polling

HOW = Newest("before", "after", 3, lambda body: msgspec.json.decode(body, type=list[int]))


class Past:
    """What happened, oldest first, as a venue gives it: the newest first, three a page. Refuses the request `refuses`."""

    def __init__(self, *times: int, refuses: int | None = None) -> None:
        self.times, self.refuses, self.asked, self.got = list(times), refuses, list[Params](), set[int]()

    async def __call__(self, params: Params) -> bytes | None:
        self.asked.append(params)
        if len(self.asked) == self.refuses:
            return None
        bounds = {name: int(value) for name, value in params}
        found = [t for t in self.times[::-1] if bounds.get("before", -1) < t < bounds.get("after", 10**9)][: HOW.limit]
        self.got |= set(found)
        return msgspec.json.encode(found)


async def test_the_first_time_only_the_newest_page_is_asked_for() -> None:
    past = Past(1, 2, 3, 4, 5)
    assert await CatchingUp().ask("X", HOW, past)
    assert (past.asked, past.got) == ([()], {3, 4, 5})


async def test_what_came_since_is_read_in_as_many_pages_as_it_takes_and_nothing_is_missed() -> None:
    past, reading = Past(1, 2), CatchingUp()
    await reading.ask("X", HOW, past)
    past.times += [2, *range(3, 12)]
    assert await reading.ask("X", HOW, past)
    assert past.got == set(range(1, 12))
    assert past.asked[1] == (("before", "1"),), "the newest time itself once more"
    quiet = len(past.asked)
    assert await reading.ask("X", HOW, past)
    assert past.asked[quiet:] == [(("before", "10"),)]


async def test_what_takes_too_many_pages_is_not_taken_for_read(monkeypatch: pytest.MonkeyPatch) -> None:
    past, reading = Past(1), CatchingUp()
    await reading.ask("X", HOW, past)
    past.times += range(2, 12)
    with monkeypatch.context() as short:
        short.setattr(catching_up, "MOST_PAGES", 2)
        assert not await reading.ask("X", HOW, past)
    assert await reading.ask("X", HOW, past)
    assert past.got == set(range(1, 12))


async def test_what_was_refused_half_way_is_asked_for_again_whole() -> None:
    past, reading = Past(1, refuses=3), CatchingUp()
    await reading.ask("X", HOW, past)
    past.times += range(2, 12)
    assert not await reading.ask("X", HOW, past)
    assert await reading.ask("X", HOW, past)
    assert past.got == set(range(1, 12))


async def test_a_page_full_of_one_instant_does_not_ask_for_ever() -> None:
    past, reading = Past(1), CatchingUp()
    await reading.ask("X", HOW, past)
    past.times += [5, 5, 5, 5]
    assert await reading.ask("X", HOW, past)
    assert len(past.asked) == 3


async def test_what_the_venue_may_still_change_is_left_for_later_and_the_first_round_goes_back_as_far_as_is_said() -> (
    None
):
    now = 100.0
    past, reading = Past(*range(0, 100_000, 1000)), CatchingUp(lambda: now)
    how = HOW._replace(first_s=20.0, behind_s=10.0)
    assert await reading.ask("X", how, past)
    assert past.got == set(range(70_000, 90_000, 1000))
    assert past.asked[0] == (("before", "69999"), ("after", "90000"))
    now = 103.5
    assert await reading.ask("X", how, past)
    assert past.got == set(range(70_000, 94_000, 1000))


async def test_values_are_read_apart_and_an_answer_of_another_form_changes_nothing() -> None:
    reading, past = CatchingUp(), Past(1, 2)
    await reading.ask("X", HOW, past)

    async def broken(_: Params) -> bytes:
        return b"?"

    assert await reading.ask("Y", HOW, broken)
    other = Past(7)
    await reading.ask("Y", HOW, other)
    assert other.asked == [()]


async def test_a_venues_poller_brings_what_was_liquidated_since_its_last_round(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator(coins=["BTC"]) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        contract = next(c for c in simulator.market.contracts if c.symbol == "BTC-USDT-SWAP")
        happened = simulator._hosts["okx"]._rest.liquidated[contract.symbol]  # type: ignore[attr-defined]
        ts = simulator.market.now

        def liquidate(*numbers: int) -> None:
            ones = [Liquidation(contract, ts - 1000 + n, "long", f"{n}", "7e4", "7e4", "7e4") for n in numbers]
            happened.extend((one, simulator.record.show(one, one.ts)) for one in ones)

        def brought(sink: Any) -> list[list[str]]:
            frames = [frame for frame in sink.data if frame.channel == "liquidation-orders@filled"]
            assert all((frame.topic, frame.symbol[:3]) == (LIQUIDATION, "BTC") for frame in frames)
            found = [[d["sz"] for of in json.loads(f.payload)["data"] for d in of["details"]] for f in frames]
            return [each for each in found if each]

        liquidate(1, 2)
        venue = VENUES["okx"]()
        polls = tuple(poll for poll in venue.polls if poll.lists or poll.newest)
        async with polling(dataclasses.replace(venue, polls=polls), poll_scale=0.004) as (sink, _):
            await sink.until(lambda: brought(sink))
            liquidate(*range(3, 250))
            await sink.until(lambda: {n for each in brought(sink) for n in each} >= {f"{n}" for n in range(1, 250)})
        assert [n for n in brought(sink)[0] if n in ("1", "2")] == ["2", "1"]  # the market liquidates some of its own
