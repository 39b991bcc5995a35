"""What a backfill asks for: every endpoint in the venue's spelling, inside limits that exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collectors.errors import ConfigurationError
from collectors.history import plan
from collectors.history.covered import Covered
from collectors.history.endpoint import DAY_MS, LENGTHS_MS, WHATS, Asked, Series
from collectors.history.paging import Span, asked
from collectors.venues.known import HISTORIES, USUAL, VENUES
from collectors.venues.venue import Listed
from liq import app
from pipelines.venues import parser_of

NOW = 1_790_000_000_000
LISTING = {
    "binance": {"um": [Listed("BTCUSDT"), Listed("BTCUSDT_261225", "", False)],
                "cm": [Listed("BTCUSD_PERP", "BTCUSD"), Listed("BTCUSD_261225", "BTCUSD", False)]},
    "bybit": {"linear": [Listed("BTCUSDT")], "inverse": [Listed("BTCUSD")]},
    "okx": {"SWAP": [Listed("BTC-USDT-SWAP")], "FUTURES": [Listed("BTC-USD-261225", "", False)]},
}  # fmt: skip
WANTED = Span(NOW - 10 * DAY_MS, NOW)


@pytest.mark.parametrize("venue", HISTORIES)
def test_every_endpoint_of_every_venue_is_of_a_group_that_is_listed_within_a_budget_and_read(venue: str) -> None:
    history, asked_of = HISTORIES[venue](), VENUES[venue]()
    listed = {poll.group for poll in asked_of.polls if poll.lists}
    for endpoint in history.endpoints:
        assert endpoint.group in listed
        assert endpoint.budget in {**asked_of.budgets, **history.budgets}
        assert (endpoint.order == "bars") == bool(endpoint.lengths)
        assert set(endpoint.lengths) <= set(LENGTHS_MS)
        for length in endpoint.lengths or [""]:
            assert parser_of(venue, "rest", Series(endpoint, Asked("X", ()), length).channel) is not None


@pytest.mark.parametrize("venue", USUAL)
def test_every_endpoint_has_a_parser_a_budget_and_a_length(venue: str) -> None:
    history = HISTORIES[venue]()
    budgets = {**VENUES[venue]().budgets, **history.budgets}
    assert {endpoint.what for endpoint in history.endpoints} | {"liquidations"} == set(WHATS), "few venues give those"
    for endpoint in history.endpoints:
        assert endpoint.budget in budgets
        assert set(endpoint.lengths) <= set(LENGTHS_MS)
        assert (endpoint.order == "bars") == bool(endpoint.lengths)
    for one in plan.series(history, LISTING[venue], plan.Order(WHATS, WANTED)):
        assert parser_of(venue, "rest", one.channel) is not None


def test_coin_margined_statistics_go_by_pair_and_only_perpetuals_have_them() -> None:
    found = plan.series(HISTORIES["binance"](), LISTING["binance"], plan.Order(WHATS, WANTED))
    names = {one.name: dict(one.asked.params) for one in found}
    assert names["cm_openInterestHist@5m|BTCUSD_PERP"] == {"pair": "BTCUSD", "contractType": "PERPETUAL"}
    assert names["cm_globalLongShortAccountRatio@5m|BTCUSD"] == {"pair": "BTCUSD"}
    assert "cm_openInterestHist@5m|BTCUSD_261225" not in names
    assert "um_fundingRate|BTCUSDT_261225" not in names
    assert {"cm_klines@1m|BTCUSD_261225", "um_klines@1m|BTCUSDT_261225"} <= names.keys()


def test_parameters_are_the_venues_own() -> None:
    def params(venue: str, name: str) -> dict[str, str]:
        found = plan.series(HISTORIES[venue](), LISTING[venue], plan.Order(WHATS, WANTED))
        return dict(next(one for one in found if one.name == name).params(DAY_MS, 2 * DAY_MS))

    assert params("bybit", "open-interest@5min|BTCUSD") == {
        "category": "inverse", "symbol": "BTCUSD", "intervalTime": "5min", "startTime": "86399999", "endTime": "172800001",
        "limit": "200",
    }  # fmt: skip
    assert params("okx", "funding-rate-history|BTC-USDT-SWAP") == {
        "instId": "BTC-USDT-SWAP", "before": "57599999", "after": "201600001", "limit": "400",
    }  # fmt: skip
    assert params("binance", "cm_klines@1m|BTCUSD_PERP")["limit"] == "499"


def test_a_coin_margined_kline_request_stays_within_200_days() -> None:
    order = plan.Order(("klines",), Span(NOW - 900 * DAY_MS, NOW), ("BTCUSD_PERP",), interval="1d")
    one = plan.series(HISTORIES["binance"](), LISTING["binance"], order)[0]
    span = asked(one, order.wanted)
    assert span is not None
    assert span.last - span.first + 2 < 200 * DAY_MS


def test_bars_that_still_run_and_bars_no_longer_kept_are_not_asked_for(tmp_path: Path) -> None:
    order = plan.Order(("open-interest",), Span(NOW - 90 * DAY_MS, NOW), ("BTC-USDT-SWAP",))
    one = plan.series(HISTORIES["okx"](), LISTING["okx"], order)[0]
    gap = plan.gaps(one, order.wanted, Covered(tmp_path / "x.json", ""), NOW)[0]
    assert gap.last < NOW - NOW % one.step_ms
    assert (NOW - gap.first) // one.step_ms == 1439
    assert re.match("open-interest: kept only the newest 1,440 bars", next(plan.not_kept([one], order.wanted, NOW)))


def test_a_length_the_venue_does_not_have_is_named_with_those_it_has() -> None:
    order = plan.Order(("ratios",), WANTED, period="2h")
    with pytest.raises(ConfigurationError, match="no bars of 2h; there are 5m, 15m"):
        plan.series(HISTORIES["okx"](), LISTING["okx"], order)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody", "--since", "1d"], "no venue 'nobody'; known: binance, bybit, okx"),
        (["okx", "--since", "yesterday"], "yesterday is not a time: say 2026-10-01"),
        (["okx", "--since", "2999-01-01"], "--since 2999-01-01 00:00:00 is not before now"),
        (["okx", "--since", "1d", "--what", "funding,depth"], "--what depth: there are funding, open-interest"),
    ],
)
def test_a_wrong_argument_is_documented_in_one_line(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["backfill", *arguments])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert told in result.stderr
