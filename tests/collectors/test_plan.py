"""The plan: what is collected, how often, and what it takes of each budget."""

import pytest

from collectors import topics
from collectors.plan import assumed, cost, lines, shares
from collectors.settings import CollectorSettings
from collectors.venues.known import RECORDS, USUAL, VENUES
from collectors.venues.venue import Listed, Venue
from tests.pipelines.test_venues_command import BY_A_NODE

SYMBOLS = dict.fromkeys(VENUES, 700) | {"bybit": 800, "okx": 460}
WITH_KLINES = [name for name, make in VENUES.items() if any(poll.topic == topics.KLINE for poll in make().polls)]
DEFAULT = CollectorSettings()
OF_THEIR_LENGTH = ("account-long-short@5m", "elite-ratio@5min", "elite-position-ratio@5min")
"""How many bars an answer has is the venue's choice, and not documented."""


@pytest.fixture(params=list(VENUES))
def venue(request: pytest.FixtureRequest) -> Venue:
    return VENUES[request.param]()


@pytest.fixture(params=WITH_KLINES)
def with_klines(request: pytest.FixtureRequest) -> Venue:
    return VENUES[request.param]()


def test_every_budget_stays_under_half_of_its_published_limit(venue: Venue) -> None:
    listing = assumed(venue, SYMBOLS[venue.name])
    assert sum(len(listed) for group, listed in listing.items() if group not in venue.beside) == SYMBOLS[venue.name]
    taken = {name: total.share for name, total in shares(venue, listing, DEFAULT).items()}
    assert taken.keys() == venue.budgets.keys()
    assert all(0.0 < share < 0.5 for share in taken.values()), taken


@pytest.mark.parametrize("group", ["um", "cm", "linear", "inverse", "SWAP", "FUTURES"])
def test_it_stays_under_half_even_if_all_instruments_are_of_one_group(group: str) -> None:
    venue = next(made for make in VENUES.values() if group in (made := make()).typical)
    listing = {group: [Listed(f"S{i}", f"U{i}", family=f"F{i}") for i in range(SYMBOLS[venue.name])]}
    assert all(total.share < 0.5 for total in shares(venue, listing, DEFAULT).values())


def test_binances_open_interest_and_klines_take_its_weight_and_ratios_take_none() -> None:
    binance = VENUES["binance"]()
    totals = shares(binance, assumed(binance, 700), DEFAULT)
    assert 700 + 700 / 5 <= totals["weight"].weight_min < 842
    assert totals["um data"].requests_min == pytest.approx(650 * 4 / 30)


def test_klines_are_polled_every_five_minutes_for_the_bars_of_two_rounds(with_klines: Venue) -> None:
    venue = with_klines
    listing = assumed(venue, SYMBOLS[venue.name])
    polls = [poll for poll in venue.without(DEFAULT.left_out).polls if poll.topic == topics.KLINE]
    requests_min = sum(cost(venue, poll, listing, DEFAULT).requests_min for poll in polls)
    assert requests_min == pytest.approx(SYMBOLS[venue.name] / 5)
    assert {(poll.every_s, poll.spread_s, dict(poll.params)["limit"], poll.cost) for poll in polls} == {
        (300.0, 0.0, "12", 1)
    }


def test_the_next_round_brings_the_bars_that_a_failed_one_missed(venue: Venue) -> None:
    lengths_s = {"1m": 60, "1": 60, "5m": 300, "5min": 300}
    polls = [poll for poll in venue.polls if poll.topic in (topics.KLINE, topics.RATIO)]
    for poll in polls:
        params = dict(poll.params)
        if poll.channel in OF_THEIR_LENGTH:
            continue
        length_s = lengths_s[params.get("interval") or params.get("period") or params["bar"]]
        whole = int(params["limit"]) - 1  # the newest may still run
        assert whole * length_s >= 2 * poll.every_s, poll.channel


@pytest.mark.parametrize(("klines", "transports"), [("poll", {"rest"}), ("stream", {"ws"}), ("off", set())])
def test_klines_come_by_polls_or_by_sockets_or_not_at_all(
    with_klines: Venue, klines: str, transports: set[str]
) -> None:
    venue = with_klines
    listing = assumed(venue, 50)
    chosen = venue.without(CollectorSettings.model_validate({"klines": klines}).left_out)
    polled = {"rest" for poll in chosen.polls if poll.topic == topics.KLINE}
    args = [arg for feed in chosen.feeds(listing) for arg in feed.args if venue.stream(arg).topic == topics.KLINE]
    assert polled | {"ws" for _ in args} == transports
    assert len(args) == (50 if klines == "stream" else 0)


def test_a_daily_poll_counts_as_in_the_minutes_it_takes() -> None:
    okx = VENUES["okx"]()
    tiers = next(poll for poll in okx.polls if poll.channel == "position-tiers")
    listing = {"SWAP": [Listed(f"S{i}", family=f"F{i // 2}") for i in range(100)]}
    assert cost(okx, tiers, listing, DEFAULT).requests_min == pytest.approx(50 / 5 / 5)


def test_the_plan_is_one_table_of_channels_and_polls_with_a_total_for_each_budget() -> None:
    venues, width = [make() for make in VENUES.values()], max(map(len, VENUES))
    plan = list(lines([(venue, assumed(venue, SYMBOLS[venue.name])) for venue in venues], DEFAULT))
    assert sum(line.startswith("venue ") for line in plan) == 3
    (interest,) = [" ".join(line.split()) for line in plan if "um_openInterest" in line]
    assert interest == "binance open interest um_openInterest rest 650 every 1 min 650.0 650.0 27.08% of weight"
    (klines,) = [" ".join(line.split()) for line in plan if "um_klines" in line]
    assert klines == "binance 1-minute klines um_klines@1m rest 650 every 5 min 130.0 130.0 5.42% of weight"
    for venue in venues:
        assert all(any(f"  {poll.channel}  " in line for line in plan) for poll in venue.polls)
        assert all(any(line.startswith(f"{venue.name:{width}}  {name} ") for line in plan) for name in venue.budgets)
    (total,) = [" ".join(line.split()) for line in plan if line.startswith(f"{'binance':{width}}  um data ")]
    assert total == "binance um data 1,000 in 5 min 86.7 86.7 43.33% 80%"


def test_a_share_that_does_not_suffice_is_told() -> None:
    binance = VENUES["binance"]()
    plans = [(binance, assumed(binance, 700))]
    assert not [line for line in lines(plans, DEFAULT) if "late" in line]
    told = [
        line for line in lines(plans, CollectorSettings(rest_share=0.5)) if "too little: polls will be late" in line
    ]
    assert [line.split()[1:3] for line in told] == [["um", "data"]]


def test_every_table_has_a_source_at_every_venue(venue: Venue) -> None:
    listing = assumed(venue, 10)
    fed = {poll.topic for poll in venue.polls} | {venue.stream(a).topic for f in venue.feeds(listing) for a in f.args}
    wanted = {topics.TICKER, topics.REFERENCE}
    wanted |= (
        {topics.LIQUIDATION}
        if "liquidations" in RECORDS[venue.name].collects and venue.name not in BY_A_NODE
        else set()
    )
    wanted |= {topics.FUNDING, topics.RATIO, topics.KLINE} if venue.name in USUAL else set()
    assert wanted <= fed
    assert topics.OPEN_INTEREST in fed or venue.name not in ("binance", "okx"), "others have it in their tickers"
