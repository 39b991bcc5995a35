"""Two collectors of the same venues are upgraded one after the other: the table is that of one that never stopped."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import BEFORE, RawFrame, from_record, to_record
from tests.pipelines.commits import placed
from tests.pipelines.test_union import Message, feeds, frame, perfect, said, table
from tests.pipelines.venue_frames import START_MS, Session, binance_liquidation

VENUES = ("binance", "bybit", "okx")


def _as_before(made: RawFrame) -> RawFrame:
    """Return the frame as ingest reads the record that the older version would have written of it."""
    key, value, headers = to_record(made)
    older = [("v", BEFORE.encode()) if name == "v" else (name, given) for name, given in headers]
    kept = [(name, given) for name, given in older if name not in ("feed", "source")]
    return from_record(key, value, kept, made.topic, made.partition, made.offset)


def _heard(feed: list[Message], name: str, stops: int, starts: int) -> list[RawFrame]:
    """Return what a collector sends that does not listen to `feed[stops:starts]`, and is of the newer version from then on."""
    old, new = ({venue: Session(venue, f"{name}-{run}") for venue in VENUES} for run in ("aaaa", "bbbb"))
    before = [_as_before(frame(old[each.venue], each)) for each in feed[:stops]]
    return before + [frame(new[each.venue], each) for each in feed[starts:]]


@settings(deadline=None, max_examples=40)
@given(st.data(), feeds)
def test_a_pair_upgraded_in_turn_loses_and_doubles_nothing(data: st.DataObject, feed: list[Message]) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(feed)), min_size=4, max_size=4)))
    first, second = _heard(feed, "linear-1", *places[:2]), _heard(feed, "linear-2", *places[2:])
    together = placed(data.draw(st.permutations(first + second)))
    cut = data.draw(st.integers(0, len(together)))
    assert table([together[:cut], together[cut:]]) == table([perfect(feed)])


def test_stopped_both_at_once_they_lose_what_came_meanwhile() -> None:
    feed = [
        said("binance", "forceOrder", "ETHUSDT", binance_liquidation(START_MS + n, "SELL", "1", "1800"))
        for n in range(4)
    ]
    first, second = _heard(feed, "linear-1", 1, 3), _heard(feed, "linear-2", 2, 4)
    assert len(table([placed(first + second)])) == len(table([perfect(feed)])) - 1
