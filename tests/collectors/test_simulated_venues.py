"""A simulated venue is one record: what shared code must not know, and that a further venue fits in."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import collectors.simulator
from collectors.simulator import Limits, Phases, Simulator
from collectors.simulator.cli import app
from collectors.simulator.contracts import Contract
from collectors.simulator.listing import listed
from collectors.simulator.script import Planned, plan_burst
from collectors.simulator.throttles import WINDOW_MS
from collectors.venues.bybit.simulator import BybitLimits
from collectors.venues.known import RECORDS
from collectors.venues.simulated import SIMULATED

START = 1_795_000_000_123
SHARED = Path(collectors.simulator.__file__).parent


def test_the_invented_market_names_no_venue() -> None:
    files = {path.name: path.read_text().lower() for path in SHARED.glob("*.py")}
    assert [(name, venue) for name, text in files.items() for venue in SIMULATED if venue in text] == []


def test_hosts_and_settings_of_two_venues_differ() -> None:
    hosts = [name for each in SIMULATED.values() for name in each.hosts]
    settings = [setting for each in SIMULATED.values() for setting in each.hosts.values()]
    assert len(set(hosts)) == len(hosts) == len(set(settings))


@pytest.mark.parametrize("name", SIMULATED)
def test_what_a_venue_says_it_always_lists_its_simulation_lists(name: str) -> None:
    assert {each.symbol for each in listed(["BTC", "ETH"], START, [name])} >= set(RECORDS[name].known)


def test_limits_are_refused_that_are_not_the_venues_own() -> None:
    for limits in (Limits(okx=BybitLimits()), Limits(nowhere=BybitLimits())):
        with pytest.raises(ValueError, match="BybitLimits is not what"):
            Simulator(coins=["BTC"], limits=limits)


@pytest.mark.parametrize("load", ["nowhere=5", "bybit", "bybit=fast", "5"])
def test_a_load_that_is_not_a_venue_and_a_rate_is_refused(load: str) -> None:
    done = CliRunner().invoke(app, ["--load", load])
    assert done.exit_code == 2
    assert repr(load) in done.output


@pytest.mark.parametrize("more", [[], ["binance"], ["bybit"], ["binance", "okx", "bybit"]])
def test_the_burst_is_visible_in_full_whichever_venues_there_are(more: list[str]) -> None:
    contracts = listed(["BTC", "ETH", "PEPE"], START)
    for like in more:
        own = [each for each in contracts if each.venue == like]
        contracts += [msgspec.structs.replace(each, venue=f"another {like}") for each in own]
    burst = plan_burst(contracts, random.Random(7), Phases(burst=1000))
    assert {one.contract.venue for one in burst} == {each.venue for each in contracts}
    assert sum(1 for _ in _visible(burst)) == 1000
    assert all(one.contract.shows.twins for one in burst if one.twin)


def _visible(burst: list[Planned]) -> Iterator[Planned]:
    shown: dict[Contract, int] = {}
    for one in burst:
        if not one.contract.shows.largest_per_second:
            yield one
        elif one.at_ms >= shown.get(one.contract, 0):
            shown[one.contract] = one.at_ms + WINDOW_MS
            yield one
