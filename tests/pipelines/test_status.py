"""What `liq status` worries about."""

from pipelines.status import Lag, _worries

FEED = {"venue": "okx", "missing": 3}


def test_frames_are_missing_only_once_ingest_has_caught_up() -> None:
    assert _worries([FEED], [Lag("raw.ticker", 10, 2)], 5.0) == []
    (told,) = _worries([FEED], [Lag("raw.ticker", 10, 0)], 5.0)
    assert told.startswith("okx: 3 frames are missing")


def test_an_ingest_that_stands_still_and_a_kafka_that_never_got_anything_are_told() -> None:
    (told,) = _worries([], [Lag("raw.ticker", 10, 2)], 500.0)
    assert told.startswith("ingest is 2 records behind")
    (told,) = _worries([], [Lag("raw.ticker", 0, 0)], None)
    assert told.startswith("nothing has ever reached Kafka")
