"""What Kafka says of its topics: a broker that has just started and knows none is not asked, and no topic is gone by it."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from pipelines.ingest import incarnation
from pipelines.ingest.incarnation import Standing, standings

TOPIC = (0, "raw.ticker", SimpleNamespace(hex=lambda: "id"), False, [(0, 0, 2, 7)])
JOINED, ALONE = SimpleNamespace(brokers=[1, 2], topics=[TOPIC]), SimpleNamespace(brokers=[], topics=[])


def cluster(monkeypatch: pytest.MonkeyPatch, answers: dict[int, object]) -> Any:
    async def ask(client: object, node: int, request: object) -> object:
        return answers[node]

    monkeypatch.setattr(incarnation, "_ask", ask)
    return SimpleNamespace(cluster=SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=node) for node in answers]))


async def test_a_broker_that_has_not_joined_its_cluster_makes_no_topic_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    client = cluster(monkeypatch, {1: ALONE, 2: JOINED})
    assert await standings(client, {"raw.ticker"}) == {("raw.ticker", 0): Standing("id", 7, 2)}
    with pytest.raises(KafkaError, match="no broker knows any topic"):
        await standings(cluster(monkeypatch, {1: ALONE}), {"raw.ticker"})
