"""`liq broker start|stop|status`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition

from collectors.broker import process
from collectors.broker.foreground import stay
from collectors.cluster import administering
from collectors.embedded import Running, running
from collectors.errors import ConfigurationError
from collectors.kafka import KafkaSettings, cluster_id, connection, ensure_topics
from collectors.topics import TOPICS

MB = 1_000_000

app = typer.Typer(
    help="The embedded Kafka broker: a real Apache Kafka on this machine only, for use without a cluster. "
    "Once started, it runs until it is stopped, and every command finds it. "
    "If LIQ_KAFKA_BOOTSTRAP names a cluster, it is not used.",
)
Data = Annotated[
    Path | None,
    typer.Option(
        help="data folder; if not given LIQ_DATA, else data/live. The broker's own data are in `kafka` in it",
    ),
]


@app.command()
def start(
    data: Data = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="stay until SIGTERM or Ctrl-C, then stop the broker (for a container)")
    ] = False,
) -> None:
    """Start the broker, if it is not running, and create missing topics.

    The first start downloads Apache Kafka (40 MB) to ~/.m2/repository. Needs Java 17 or newer.
    """
    settings = _settings(data)
    if settings.kafka_bootstrap:
        raise ConfigurationError(
            f"LIQ_KAFKA_BOOTSTRAP={settings.kafka_bootstrap} is set, so the embedded broker would not be used. "
            "Unset it to start one."
        )
    broker = process.start(settings.data)
    asyncio.run(ensure_topics(connection(settings), TOPICS, settings.kafka_replication, settings.kafka_min_insync))
    word = "started" if broker.started_here else "runs already"
    print(f"Kafka {word} at {broker.bootstrap} (process {broker.pid}), data in {broker.folder}")
    if foreground:
        stay(settings.data)


@app.command()
def stop(data: Data = None) -> None:
    """Stop the broker; its data stay. Exit code 0 even if none was running."""
    settings = _settings(data)
    print(f"Kafka {process.stop(settings.data)} for {settings.data}")


@app.command()
def status(data: Data = None) -> None:
    """Show where Kafka is and what it contains. Exit code 1 if it does not run."""
    settings = _settings(data)
    reach = connection(settings)
    print(f"bootstrap  {reach['bootstrap_servers']}")
    if settings.kafka_bootstrap is None and (broker := running(settings.data)):
        _describe(broker)
    print(f"cluster    {asyncio.run(cluster_id(reach))}\n")
    print(f"{'topic':18} {'partitions':>10} {'records':>12}  end offsets")
    for line in asyncio.run(_topics(reach)):
        print(line)


def _describe(broker: Running) -> None:
    up = str(datetime.now(UTC) - broker.started).split(".")[0]
    print(f"process    {broker.pid}, up {up} (hours:minutes:seconds)")
    print(f"data       {broker.folder / 'data'}, {_size(broker.folder / 'data') / MB:.1f} MB")
    print(f"log        {broker.folder / 'logs'}, {_size(broker.folder / 'logs') / MB:.1f} MB")


async def _topics(reach: dict[str, Any]) -> list[str]:
    """Return a line per topic of the table: partitions, records kept now, end offset of each partition."""
    async with administering(reach) as admin:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
        places = [TopicPartition(topic.name, n) for topic in TOPICS for n in range(found.get(topic.name, 0))]
        async with AIOKafkaConsumer(*{place.topic for place in places}, **reach) as consumer:
            first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    lines = []
    for topic in TOPICS:
        own = [place for place in places if place.topic == topic.name]
        ends = " ".join(f"{place.partition}:{end[place]}" for place in own)
        kept = sum(end[place] - first[place] for place in own)
        lines.append(f"{topic.name:18} {len(own):>10} {kept:>12}  {ends}" if own else f"{topic.name:18} missing")
    return lines


def _settings(data: Path | None) -> KafkaSettings:
    settings = KafkaSettings.load()
    return settings.model_copy(update={"data": data}) if data else settings


def _size(folder: Path) -> int:
    """Return the bytes the files below `folder` take on disk; Kafka's index files are mostly holes."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
