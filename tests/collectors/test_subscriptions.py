"""Requests, acknowledgements, refusals and silence on one connection, without a connection."""

import json

from collectors.live.pulse import Pulse
from collectors.live.subscriptions import SETTLE_S, Subscriptions
from collectors.venues.known import VENUES
from collectors.venues.venue import Control, Heartbeat, Liveness

BYBIT = VENUES["bybit"]()
OKX = VENUES["okx"]()
ALL_OR_NOTHING = [f"tickers.S{i:03d}" for i in range(250)]


def _drain(subscriptions: Subscriptions, bad: set[str]) -> tuple[set[str], int]:
    """Answer as a venue that rejects a request whole for one bad topic; return the refused, and how many requests."""
    refused: set[str] = set()
    now, requests = 0.0, 0
    while not subscriptions.settled:
        while message := subscriptions.message(now):
            requests += 1
            sent = json.loads(message)
            kind = "refused" if bad & set(sent["args"]) else "ack"
            outcome = subscriptions.answer(Control(kind, sent["req_id"], detail="error:handler not found"), now)
            assert outcome is not None
            refused |= set(outcome.refused)
        now += SETTLE_S
        subscriptions.settle(now)
    return refused, requests


def test_one_bad_topic_is_found_and_costs_no_other_its_subscription() -> None:
    subscriptions = Subscriptions(BYBIT, ALL_OR_NOTHING)
    refused, requests = _drain(subscriptions, {"tickers.S123"})
    assert refused == {"tickers.S123"}
    assert set(subscriptions.active) == set(ALL_OR_NOTHING) - {"tickers.S123"}
    assert requests <= 3 + 2 * 7


def test_several_bad_topics_are_found() -> None:
    bad = {"tickers.S000", "tickers.S099", "tickers.S249"}
    subscriptions = Subscriptions(BYBIT, ALL_OR_NOTHING)
    assert _drain(subscriptions, bad)[0] == bad
    assert len(subscriptions.active) == 247


def test_what_an_error_without_argument_meant_is_found_after_the_other_acks() -> None:
    subscriptions = Subscriptions(OKX, ["mark-price:A", "mark-price:B"])
    subscriptions.message(0.0)
    subscriptions.answer(Control("refused", "1", detail="60018 no such instrument"), 0.0)
    subscriptions.answer(Control("ack", "1", "mark-price:A"), 0.1)
    subscriptions.settle(SETTLE_S)
    assert json.loads(subscriptions.message(1.0) or "")["args"] == [{"channel": "mark-price", "instId": "B"}]
    outcome = subscriptions.answer(Control("refused", "2", detail="60018"), 1.0)
    assert outcome is not None
    assert outcome.refused == ("mark-price:B",)
    assert list(subscriptions.active) == ["mark-price:A"]
    assert subscriptions.settled


def test_what_an_acknowledgement_does_not_name_was_refused_in_silence() -> None:
    subscriptions = Subscriptions(BYBIT, ["tickers.A", "tickers.B", "tickers.C"])
    subscriptions.message(0.0)
    subscriptions.answer(Control("ack", "1", args=("tickers.A", "tickers.C", "tickers.X")), 0.1)
    assert list(subscriptions.active) == ["tickers.A", "tickers.C"]
    is_ignored, outcome = subscriptions.overdue(10.0, after_s=5.0)
    assert (is_ignored, outcome.refused, outcome.detail) == (False, ("tickers.B",), "not acknowledged")


def test_new_symbols_are_subscribed_and_delisted_ones_unsubscribed() -> None:
    subscriptions = Subscriptions(BYBIT, ["tickers.A", "tickers.B"])
    _drain(subscriptions, set())
    subscriptions.want(["tickers.B", "tickers.C"], 1.0)
    messages = [json.loads(subscriptions.message(1.0) or "") for _ in range(2)]
    assert [(m["op"], m["args"]) for m in messages] == [("subscribe", ["tickers.C"]), ("unsubscribe", ["tickers.A"])]
    for message in messages:
        subscriptions.answer(Control("ack", message["req_id"]), 1.0)
    assert list(subscriptions.active) == ["tickers.B", "tickers.C"]


def test_what_is_delisted_before_its_ack_is_unsubscribed_after_it() -> None:
    subscriptions = Subscriptions(BYBIT, ["tickers.A"])
    subscriptions.message(0.0)
    subscriptions.want([], 0.1)
    subscriptions.answer(Control("ack", "1"), 0.2)
    assert json.loads(subscriptions.message(0.3) or "")["op"] == "unsubscribe"


def test_a_refused_topic_is_asked_for_again_only_after_a_while() -> None:
    subscriptions = Subscriptions(BYBIT, ["tickers.A"])
    _drain(subscriptions, {"tickers.A"})
    subscriptions.want(["tickers.A"], 10.0)
    assert subscriptions.message(10.0) is None
    subscriptions.want(["tickers.A"], 700.0)
    assert subscriptions.message(700.0) is not None


def test_a_request_without_any_answer_is_told_apart_from_one_argument_left_out() -> None:
    subscriptions = Subscriptions(OKX, ["mark-price:A", "mark-price:B"])
    subscriptions.message(0.0)
    assert subscriptions.overdue(9.0, 10.0) == (False, ((), (), "not acknowledged"))
    subscriptions.answer(Control("ack", "1", "mark-price:A"), 9.5)
    ignored, outcome = subscriptions.overdue(10.0, 10.0)
    assert (ignored, outcome.refused) == (False, ("mark-price:B",))
    subscriptions.want(["mark-price:A", "mark-price:C"], 11.0)
    subscriptions.message(11.0)
    assert subscriptions.overdue(21.0, 10.0)[0]


def test_a_refusal_without_id_belongs_to_the_oldest_request() -> None:
    subscriptions = Subscriptions(VENUES["binance"](), ["!forceOrder@arr"])
    subscriptions.message(0.0)
    outcome = subscriptions.answer(Control("refused", detail="2 Invalid request"), 0.0)
    assert outcome is not None
    assert outcome.refused == ("!forceOrder@arr",)


LIVENESS = Liveness("tickers", "tickers.", silent_s=20.0)
QUIET = Heartbeat("ping", every_s=25.0, when_quiet=True)
STEADY = Heartbeat("ping", every_s=20.0)


def test_a_feed_is_silent_when_its_ticking_channel_brings_nothing_whatever_else_arrives() -> None:
    pulse = Pulse(LIVENESS, None, 20.0, now=0.0)
    assert pulse.silence(0.0, ["tickers.A"]) is None
    pulse.hear(10.0, "tickers")
    pulse.hear(29.9, "allLiquidation")
    assert pulse.silence(29.9, ["tickers.A"]) is None
    assert pulse.silence(30.1, ["tickers.A"]) == "no tickers for 20.1 s"


def test_silence_is_counted_from_the_subscription_not_from_the_connection() -> None:
    pulse = Pulse(LIVENESS, None, 20.0, now=0.0)
    assert pulse.silence(100.0, ["allLiquidation.A"]) is None
    assert pulse.silence(101.0, ["tickers.A"]) is None
    assert pulse.silence(120.9, ["tickers.A"]) is None
    assert pulse.silence(121.0, ["tickers.A"])


def test_nothing_is_silent_while_we_do_not_read() -> None:
    pulse = Pulse(LIVENESS, STEADY, 20.0, now=0.0)
    pulse.silence(0.0, ["tickers.A"])
    pulse.hold()
    assert pulse.ping(500.0) is None
    assert pulse.silence(500.0, ["tickers.A"]) is None
    pulse.release(500.0)
    assert pulse.silence(519.0, ["tickers.A"]) is None
    assert pulse.silence(520.0, ["tickers.A"])


def test_a_quiet_heartbeat_is_sent_only_when_nothing_came_and_an_unanswered_one_is_silence() -> None:
    pulse = Pulse(LIVENESS, QUIET, 20.0, now=0.0)
    pulse.hear(20.0)
    assert pulse.ping(44.9) is None
    assert pulse.ping(45.0) == "ping"
    assert pulse.ping(46.0) is None
    assert pulse.silence(54.9, []) is None
    assert pulse.silence(55.0, []) == "no answer to a ping for 10 s"


def test_a_steady_heartbeat_is_sent_whatever_arrives() -> None:
    pulse = Pulse(LIVENESS, STEADY, 20.0, now=0.0)
    pulse.hear(19.9, "tickers")
    assert pulse.ping(20.0) == "ping"
    pulse.hear(39.9, "tickers")
    assert pulse.ping(39.9) is None
    assert pulse.ping(40.0) == "ping"
