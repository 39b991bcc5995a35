"""The budget that all pollers of a process share: limits apart, one stop for all, one request to try after it."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from collectors.polls.budget import Budget, shared
from collectors.venues.binance import stream as binance
from collectors.venues.known import VENUES
from collectors.venues.venue import Rate, Source

WIDE = {"weight": Rate(100_000, 1.0), "data": Rate(100_000, 1.0)}


async def _asked(budget: Budget, name: str = "weight") -> None:
    async with budget.request(name):
        pass


async def _waits(work: "asyncio.Task[None]") -> bool:
    done, _ = await asyncio.wait([work], timeout=0.05)
    return not done


async def test_one_venue_at_one_address_has_one_budget_however_many_poll_it() -> None:
    first, second = VENUES["binance"](), VENUES["binance"]().without({Source("rest", "raw.ratio")})
    assert shared(first, 0.8) is shared(second, 0.8)
    elsewhere = binance.venue(binance.Hosts(um_rest="http://127.0.0.1:1", cm_rest="http://127.0.0.1:1"))
    assert shared(elsewhere, 0.8) is not shared(first, 0.8)
    assert shared(VENUES["okx"](), 0.8) is not shared(first, 0.8)


async def test_a_limit_that_is_used_up_leaves_the_others_alone() -> None:
    budget = Budget({"weight": Rate(1, 1000.0), "data": Rate(100_000, 1.0)}, 1.0)
    budget.seen("weight", 1)
    waiting = asyncio.create_task(_asked(budget, "weight"))
    await asyncio.wait_for(_asked(budget, "data"), 60)
    assert await _waits(waiting)
    waiting.cancel()


async def test_a_stop_holds_every_limit_until_its_time_is_over() -> None:
    budget = Budget(WIDE, 1.0)
    started = asyncio.get_running_loop().time()
    budget.stop(0.3, "HTTP 429")
    await asyncio.gather(_asked(budget, "weight"), _asked(budget, "data"))
    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_after_a_stop_one_request_tries_and_the_others_wait_for_its_answer() -> None:
    budget = Budget(WIDE, 1.0)
    budget.stop(0.01, "HTTP 429")
    async with AsyncExitStack() as trying:
        await trying.enter_async_context(budget.request("weight"))
        others = [asyncio.create_task(_asked(budget)) for _ in range(3)]
        assert all([await _waits(other) for other in others])
        budget.answered()
        await asyncio.wait_for(asyncio.gather(*others), 60)
    assert budget.stopped is None


async def test_a_try_that_fails_lets_the_next_one_try() -> None:
    budget = Budget(WIDE, 1.0)
    budget.stop(0.01, "HTTP 429")
    with pytest.raises(OSError, match="no route"):
        async with budget.request("weight"):
            raise OSError("no route")
    await asyncio.wait_for(_asked(budget), 60)
    assert budget.stopped, "nothing has answered yet"


async def test_a_try_that_is_refused_stops_the_others_again() -> None:
    budget = Budget(WIDE, 1.0)
    budget.stop(0.01, "HTTP 429")
    async with budget.request("weight"):
        other = asyncio.create_task(_asked(budget))
        assert await _waits(other)
        budget.stop(60.0, "HTTP 418")
    assert budget.stopped
    assert budget.stopped.reason == "HTTP 418"
    assert await _waits(other)
    other.cancel()


async def test_a_shorter_stop_does_not_end_a_longer_one() -> None:
    budget = Budget(WIDE, 1.0)
    budget.stop(60.0, "HTTP 418")
    told = budget.stopped
    budget.stop(2.0, "HTTP 429, which was on its way")
    budget.answered()
    assert budget.stopped is told


async def test_what_is_asked_after_a_stop_comes_without_a_burst() -> None:
    budget = Budget({"weight": Rate(40, 1.0)}, 1.0)  # a burst of 10, then 30 a second
    budget.stop(0.01, "HTTP 429")
    await asyncio.sleep(0.02)
    started = asyncio.get_running_loop().time()
    await _asked(budget)
    budget.answered()
    await asyncio.gather(*(_asked(budget) for _ in range(8)))
    assert asyncio.get_running_loop().time() - started > 0.2
