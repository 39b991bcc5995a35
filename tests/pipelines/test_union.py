"""Several collectors, each started, cut off and restarted at its own times, give the table of one that never failed.

What a feed sends is drawn; so is who received which part of it, how frames came to lie in Kafka, where commits were cut and
which of them were read again. The rule: a row's key is (ts_event, event_key, occurrence), and the first with a key stays.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from tests.pipelines.commits import GRID_S, commit, placed, slices
from tests.pipelines.venue_frames import START_MS, Session, binance_liquidation, bybit_liquidation, okx_liquidation
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.tables import TABLES

KEY = list(TABLES["liquidations"].key)
SAYS = [name for name in TABLES["liquidations"].types if name not in (
    "ts_recv", "source", "kafka_topic", "kafka_partition", "kafka_offset", "session", "seq",
)]  # fmt: skip


class Message(NamedTuple):
    """What a feed sent, to every socket that was open then."""

    venue: str
    channel: str
    symbol: str
    payload: bytes


def said(venue: str, channel: str, symbol: str, body: dict[str, Any]) -> Message:
    return Message(venue, channel, symbol, json.dumps(body).encode())


times = st.integers(START_MS, START_MS + 3)
sides = st.sampled_from(["Buy", "Sell"])
sizes = st.sampled_from(["0.001", "2", "3.5"])
items = st.tuples(sides, sizes, st.sampled_from(["100", "101.5"]))
bybit = st.builds(
    lambda at, each: said("bybit", "allLiquidation", "BTCUSDT", bybit_liquidation(at, *each)),
    times, st.lists(items, min_size=1, max_size=4),
)  # fmt: skip
binance = st.builds(
    lambda at, side, size: said("binance", "forceOrder", "ETHUSDT", binance_liquidation(at, side.upper(), size, "1800")),
    times, sides, sizes,
)  # fmt: skip
okx = st.builds(
    lambda at, contract, side, size: said(
        "okx", "liquidation-orders", "*", okx_liquidation(at, contract, side.lower(), size, "9")
    ),
    times, st.sampled_from(["BTC-USDT-SWAP", "BTC-USD-SWAP"]), sides, sizes,
)  # fmt: skip
feeds = st.lists(st.one_of(bybit, binance, okx), min_size=1, max_size=20)


def repeated_first(messages: Sequence[Message]) -> Iterator[Message]:
    """What OKX may push first to a new socket: old liquidations again, in a message of their own."""
    old = [json.loads(message.payload)["data"][0] for message in messages if message.venue == "okx"]
    distinct = {json.dumps(each): each for each in old[-3:]}
    if distinct:
        yield said(
            "okx", "liquidation-orders", "*", {"arg": {"channel": "liquidation-orders"}, "data": [*distinct.values()]}
        )


@st.composite
def received(draw: st.DrawFn, feed: Sequence[Message]) -> tuple[list[RawFrame], list[Message]]:
    """The frames of two collectors' sockets as they came to lie in Kafka, and what any of them received of the feed."""
    frames: list[RawFrame] = []
    heard: set[int] = set()
    places = st.integers(0, len(feed))
    for number, (start, length) in enumerate(draw(st.lists(st.tuples(places, places), min_size=1, max_size=5))):
        own = range(start, min(start + length, len(feed)))
        heard |= set(own)
        sockets = {venue: Session(venue, f"x-{number}-aaaa") for venue in ("binance", "bybit", "okx")}
        again = list(repeated_first(feed[:start])) if draw(st.booleans()) and set(range(start)) <= heard else []
        for message in [*again, *(feed[index] for index in own)]:
            frames.append(frame(sockets[message.venue], message))
            if draw(st.integers(0, 9)) == 0:  # the connection was cut in the middle of it; it is sent again whole
                cut = message.payload[: draw(st.integers(0, len(message.payload) - 1))]
                frames.append(frame(sockets[message.venue], message._replace(payload=cut)))
    return placed(draw(st.permutations(frames))), [feed[index] for index in sorted(heard)]


def frame(session: Session, message: Message) -> RawFrame:
    return session.frame(message.channel, message.symbol, message.payload, START_MS + 10, LIQUIDATION)


def perfect(messages: Iterable[Message]) -> list[RawFrame]:
    """One collector that received everything, in order."""
    sockets = {venue: Session(venue, "perfect-0-aaaa") for venue in ("binance", "bybit", "okx")}
    return placed(frame(sockets[message.venue], message) for message in messages)


def rows(batch: Batch, part: Sequence[RawFrame]) -> pl.DataFrame:
    batch.add(slices(part))
    return batch.take().tables(Log("cluster", {}, "commit"), GRID_S)["liquidations"]


def table(parts: Sequence[Sequence[RawFrame]]) -> list[tuple[Any, ...]]:
    """Return what the table says after commits of `parts`, by the key rule."""
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    found = pl.concat([TABLES["liquidations"].schema.to_frame(), *(rows(batch, part) for part in parts if part)])
    return sorted(found.unique(KEY, keep="first", maintain_order=True).select(SAYS).rows(), key=repr)


@settings(deadline=None, max_examples=60)
@given(st.data(), feeds)
def test_collectors_together_give_the_table_of_a_perfect_one(data: st.DataObject, feed: list[Message]) -> None:
    frames, heard = data.draw(received(feed))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(frames)), max_size=3)) | {0, len(frames)})
    parts = [frames[start:end] for start, end in pairwise(cuts)]
    again = data.draw(st.lists(st.sampled_from(parts), max_size=2)) if parts else []
    assert table([*parts, *again]) == table([perfect(heard)])


@settings(deadline=None, max_examples=40)
@given(st.lists(bybit, min_size=1, max_size=6))
def test_every_liquidation_of_a_frame_is_kept_identical_ones_too(feed: list[Message]) -> None:
    one = [item for message in feed[:1] for item in json.loads(message.payload)["data"]]
    assert len(table([perfect(feed[:1])])) == len(one)
    assert len(table([perfect(feed + feed)])) == len(table([perfect(feed)]))


def test_two_collectors_and_a_crash_on_a_real_lake_give_the_table_of_a_perfect_one(
    empty_world: Path, tmp_path: Path
) -> None:
    seeded = random.Random(7)
    feed = [_message(seeded, n) for n in range(400)]
    ranges = (range(250), range(120, 330), range(300, 400))
    frames = [frame for number, part in enumerate(ranges) for frame in _heard(feed, number, part)]
    together = placed(sorted(frames, key=lambda _: seeded.random()))
    parts = [together[start : start + 90] for start in range(0, len(together), 90)]
    for world, commits in (("several", [*parts[:4], *parts[2:]]), ("perfect", [perfect(feed)])):
        copied(empty_world, tmp_path / world)
        with lake.open(tmp_path / world, read_only=False) as warehouse:
            for part in commits:
                commit(warehouse, part)
    several, whole = (_stored(tmp_path / world) for world in ("several", "perfect"))
    assert several == whole
    assert len(whole) > 400


def _heard(feed: Sequence[Message], number: int, part: range) -> list[RawFrame]:
    sockets = {venue: Session(venue, f"x-{number}-aaaa") for venue in ("binance", "bybit", "okx")}
    return [frame(sockets[feed[index].venue], feed[index]) for index in part]


def _message(seeded: random.Random, number: int) -> Message:
    at, size = START_MS + number * 7, f"{seeded.randint(1, 3)}"
    if number % 3 == 0:
        return said("binance", "forceOrder", "ETHUSDT", binance_liquidation(at, "SELL", size, "1800"))
    if number % 3 == 1:
        return said("okx", "liquidation-orders", "*", okx_liquidation(at, "BTC-USD-SWAP", "buy", size, "9"))
    each = [(seeded.choice(["Buy", "Sell"]), size, "100") for _ in range(3)]
    return said("bybit", "allLiquidation", "BTCUSDT", bybit_liquidation(at, *each))


def _stored(world: Path) -> list[tuple[Any, ...]]:
    with lake.open(world) as warehouse:
        return warehouse.connection.execute(f"SELECT {', '.join(SAYS)} FROM liquidations ORDER BY ALL").fetchall()
