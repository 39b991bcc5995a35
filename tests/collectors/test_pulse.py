"""Whether a connection lives, by times that are passed in: its ping, its answer, the channel that must tick."""

import pytest

from collectors.live.pulse import ANSWER_S, Pulse
from collectors.venues.venue import ANY, PINGS, Heartbeat, Liveness

TICK = "markPrice"
ARGS = ("btcusdt@forceOrder", "btcusdt@markPrice")
OTHERS = ("btcusdt@forceOrder",)


def pulse(when_quiet: bool = False, heartbeat: bool = True) -> Pulse:
    """Return the pulse of a connection opened at 100 s, that must tick within 30 s and is pinged each 20 s."""
    beat = Heartbeat("ping", 20.0, when_quiet) if heartbeat else None
    return Pulse(Liveness(TICK, "btcusdt@mark", 30.0), beat, 30.0, 100.0)


def test_a_connection_that_ticks_and_answers_is_never_called_silent() -> None:
    beats = pulse()
    for second in range(100, 400):
        if beats.ping(second):
            beats.hear(second + 0.5)
        beats.hear(second + 0.6, TICK)
        assert beats.silence(second + 0.9, ARGS) is None
    assert beats.beaten


def test_the_ping_is_sent_when_it_is_due_and_not_again_before_it_is_answered() -> None:
    beats = pulse()
    assert beats.ping(119.9) is None
    assert beats.ping(120.0) == "ping"
    assert beats.ping(150.0) is None, "the first is not answered"
    beats.hear(151.0)
    assert beats.ping(151.0) == "ping", "it was sent 31 s ago"
    beats.hear(152.0)
    assert beats.ping(170.9) is None


def test_a_ping_for_quiet_times_waits_for_a_quiet_time() -> None:
    beats = pulse(when_quiet=True)
    for second in range(100, 200):
        beats.hear(second, "liquidation")
        assert beats.ping(second + 0.9) is None
    assert beats.ping(218.9) is None
    assert beats.ping(219.0) == "ping"
    beats.hear(219.5)
    assert beats.ping(239.4) is None
    assert beats.ping(239.5) == "ping"


def test_a_venue_without_a_ping_of_its_own_is_not_pinged() -> None:
    beats = pulse(heartbeat=False)
    assert beats.ping(1e6) is None
    assert beats.silence(1e6, OTHERS) is None


def test_a_ping_without_an_answer_is_a_silence_after_ten_seconds_and_any_message_answers() -> None:
    beats = pulse()
    assert beats.ping(120.0) == "ping"
    assert beats.silence(120.0 + ANSWER_S - 0.1, OTHERS) is None
    assert beats.silence(120.0 + ANSWER_S, OTHERS) == "no answer to a ping for 10 s"
    beats.hear(120.0 + ANSWER_S)
    assert beats.silence(120.0 + ANSWER_S, OTHERS) is None


def test_a_message_in_the_very_moment_of_the_ping_is_an_answer() -> None:
    beats = pulse()
    beats.hear(120.0)
    assert beats.ping(120.0) == "ping"
    assert beats.silence(140.0, OTHERS) is None


def test_a_channel_that_must_tick_and_does_not_is_a_silence_whatever_else_comes() -> None:
    beats = pulse()
    assert beats.silence(100.0, ARGS) is None
    beats.hear(129.0, "forceOrder")
    assert beats.silence(129.9, ARGS) is None
    assert beats.silence(130.0, ARGS) == "no markPrice for 30.0 s"
    assert not beats.beaten
    beats.hear(131.0, TICK)
    assert beats.silence(160.9, ARGS) is None
    assert beats.silence(161.5, ARGS) == "no markPrice for 30.5 s"


@pytest.mark.parametrize("told_at", [100.0, 500.0])
def test_the_time_to_tick_begins_when_it_is_subscribed(told_at: float) -> None:
    beats = pulse(heartbeat=False)
    assert beats.silence(told_at, OTHERS) is None, "nothing that ticks is subscribed"
    assert beats.silence(told_at + 90, ARGS) is None
    assert beats.silence(told_at + 119, ARGS) is None
    assert beats.silence(told_at + 120, ARGS)
    assert beats.silence(told_at + 121, OTHERS) is None
    assert beats.silence(told_at + 200, ARGS) is None, "subscribed anew, it begins anew"
    assert (beats.ticks(ARGS), beats.ticks(OTHERS)) == (True, False)
    at_once = pulse(heartbeat=False)
    assert at_once.silence(told_at, ARGS) is None
    assert at_once.silence(told_at + 29, ARGS) is None


def test_while_nothing_is_read_nothing_is_judged_and_then_all_begins_anew() -> None:
    beats = pulse()
    beats.silence(100.0, ARGS)
    beats.hold()
    assert beats.ping(300.0) is None
    assert beats.silence(300.0, ARGS) is None
    beats.release(300.0)
    assert (beats.silence(300.0, ARGS), beats.quiet_s(301.0)) == (None, 1.0)
    assert beats.silence(329.9, ARGS) is None
    assert beats.silence(330.0, ARGS) == "no markPrice for 30.0 s"
    assert beats.ping(319.9) is None
    assert beats.ping(320.0) == "ping"


def test_when_each_channel_last_brought_a_frame_is_known_and_controls_are_of_none() -> None:
    beats = pulse()
    assert (beats.heard, beats.quiet_s(107.0)) == ({}, 7.0)
    beats.hear(108.0)
    beats.hear(109.0, TICK)
    beats.hear(110.0, "forceOrder")
    beats.hear(111.0)
    assert beats.heard == {TICK: 109.0, "forceOrder": 110.0}
    assert (beats.quiet_s(111.5), beats.quiet_s(110.0)) == (0.5, 0.0)


@pytest.mark.parametrize("channel", ["liquidations", PINGS])
def test_where_any_channel_proves_life_frames_and_the_venues_pings_do_and_acknowledgements_do_not(channel: str) -> None:
    beats = Pulse(Liveness(ANY, "", 30.0), None, 30.0, 100.0)
    beats.hear(101.0)
    assert not beats.beaten
    assert beats.silence(102.0, OTHERS) is None
    beats.hear(120.0, channel)
    assert beats.beaten
    assert beats.silence(149.0, OTHERS) is None
    beats.hear(149.0)
    assert beats.silence(151.0, OTHERS) == "no message for 31.0 s"
