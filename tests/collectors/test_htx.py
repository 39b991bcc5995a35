"""HTX: pings that want their time back as it came, and what its acknowledgements say."""

import json

import pytest

from collectors import topics
from collectors.venues.htx import stream
from collectors.venues.venue import Answer, Control, Frame

VENUE = stream.venue()


@pytest.mark.parametrize("ts", ['"1700000000000"', "1700000000000"])
def test_a_ping_is_answered_with_its_time_as_it_came(ts: str) -> None:
    assert VENUE.classify(f'{{"op":"ping","ts":{ts}}}'.encode()) == Control("ping", detail=f'{{"op":"pong","ts":{ts}}}')


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"op":"sub","cid":"3","topic":"public.*.funding_rate","ts":1,"err-code":0}', Control("ack", "3")),
        (b'{"op":"sub","cid":"3","topic":"t","ts":1,"err-code":2014,"err-msg":"again"}', Control("ack", "3")),
        (
            b'{"op":"sub","cid":"3","topic":"t","ts":1,"err-code":2011,"err-msg":"no"}',
            Control("refused", "3", "", "2011 no"),
        ),
        (b'{"op":"close","ts":1}', Control("renew", detail="close 0")),
        (
            b'{"op":"notify","topic":"public.BTC-USDT.liquidation_orders","ts":1,"data":[]}',
            Frame("liquidation_orders", "BTC-USDT", topics.LIQUIDATION),
        ),
        (b'{"op":"notify","topic":"public.BTC-USDT.premium","ts":1,"data":[]}', None),
    ],
)
def test_a_message_is_named(payload: bytes, expected: Control | Frame | None) -> None:
    assert VENUE.classify(payload) == expected


def test_each_topic_is_asked_for_alone_and_linear_ones_of_swaps_and_futures() -> None:
    linear = json.loads(VENUE.request("subscribe", "1", ("linear/public.*.liquidation_orders",)))
    assert linear == {"op": "sub", "cid": "1", "topic": "public.*.liquidation_orders", "business_type": "all"}
    assert "business_type" not in json.loads(VENUE.request("subscribe", "1", ("swap/public.*.funding_rate",)))
    assert VENUE.limits.args_per_request == 1


def test_a_refusal_is_told_by_its_status_with_http_200() -> None:
    refused = VENUE.refusal(Answer(200, {}, b'{"status":"error","err_code":1032,"err_msg":"too often","ts":1}', 0.0))
    assert refused is not None
    assert refused.stop_s == 5.0
