"""Which ingest has which partitions, and what `liq status` says of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.topics import TOPICS
from pipelines.ingest.workers import SPREAD, Workers, share_of, told
from pipelines.status.ingest import workers as check
from pipelines.status.kafka import Away
from pipelines.status.seen import Seen
from warehouse import lake
from warehouse.beside import Beside
from warehouse.members import TABLE, Member, Members

GONE_S = 2.0
ALL = [(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_partition_is_with_one_ingest_and_the_small_topics_are_together(count: int) -> None:
    shares = [share_of(number, count, ALL) for number in range(count)]
    assert sorted(at for share in shares for at in share) == sorted(ALL)
    assert {at for at in ALL if at[0] not in SPREAD} <= shares[0]
    for topic in SPREAD:
        own = [sum(at[0] == topic for at in share) for share in shares]
        assert max(own) - min(own) <= 1, "as even as can be"


def test_a_share_is_told_topic_by_topic() -> None:
    assert (
        told({("raw.ticker", 1), ("raw.liquidation", 2), ("raw.liquidation", 0)}) == "raw.liquidation 0 2, raw.ticker 1"
    )


async def test_the_one_ingest_of_a_sqlite_lake_has_everything(tmp_path: Path) -> None:
    async with Workers(tmp_path, GONE_S) as alone:
        await alone.join()
        assert alone.share(ALL) == set(ALL)
        assert (alone.are_several, alone.count) == (False, 1)


@pytest.fixture
def shared(on_server: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder, settings = on_server
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    yield folder
    with lake.open(folder / "one") as opened:
        Beside(opened.place, "test").do(f"DELETE FROM {TABLE}")


async def test_who_comes_and_goes_changes_the_shares_of_the_others(shared: Path) -> None:
    async with Workers(shared / "one", GONE_S) as one:
        await one.join()
        assert one.share(ALL) == set(ALL)
        async with Workers(shared / "two", GONE_S) as two:
            await two.join()
            await one.changed.wait()
            assert two.share(ALL) | one.share(ALL) == set(ALL)
            assert not two.share(ALL) & one.share(ALL)
        await one.changed.wait()
        assert one.share(ALL) == set(ALL)


async def test_who_is_started_again_takes_the_place_of_who_was_killed_there(shared: Path) -> None:
    killed = Workers(shared / "one", GONE_S)
    await killed.join()
    assert killed._beating
    killed._beating.cancel()
    async with Workers(shared / "one", GONE_S) as again:
        await again.join()
        assert again.share(ALL) == set(ALL)


async def test_status_says_who_has_what_and_who_is_gone(shared: Path) -> None:
    with lake.open(shared / "one") as opened:
        seen = Seen(shared, datetime.now(UTC).replace(tzinfo=None), opened, Away(""))
        assert [(each.state, each.said) for each in check(seen)] == [("needs you", "none lives")]
        members = Members(opened.place)
        members.beat(Member("a", "host-a", 7, "/a", "raw.liquidation 0 2", 0))
        members.beat(Member("b", "host-b", 8, "/b", "raw.liquidation 1 3", 0))
        Beside(opened.place, "test").do(f"UPDATE {TABLE} SET seen = seen - interval '30 s' WHERE name = 'b'")
        found = [(each.subject, each.state, each.said) for each in check(seen)]
    assert found[0] == ("ingest 7@host-a", "good", "has raw.liquidation 0 2")
    assert found[1][:2] == ("ingest 8@host-b", "needs you")
    assert found[1][2].startswith("has said nothing for 3"), "30 s and some"
