"""`make kill-workers`: ingests on one lake are killed again and again, and PostgreSQL's sessions, and it is compared."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from collectors import broker
from collectors.kafka import ensure_topics
from collectors.topics import TOPICS
from tests.several.brokers import brokers
from tests.several.trial import Trial
from tests.warehouse import servers

KINDS = ("kill", "kill", "lose", "freeze", "terminate", "terminate_all", "crash")


async def trial(folder: Path, workers: int, given: argparse.Namespace) -> bool:
    """Run one trial, print what it found, and return whether nothing differs."""
    rng = random.Random(given.seed)
    kinds = (*KINDS, *(["broker"] * 2 if given.brokers else []), *(["files"] * 2 if given.s3 else []))
    with servers.postgres() as postgres, servers.s3() if given.s3 else nullcontext() as s3:
        files = {"LIQ_FILES": "s3://lake/several", **s3.settings} if s3 else {"LIQ_FILES": str(folder / "files")}
        shared = {"LIQ_CATALOGUE": postgres.database("several"), **files}
        async with brokers(folder) if given.brokers else one_broker(folder) as (bootstrap, cluster):
            kafka = {"bootstrap_servers": bootstrap}
            await ensure_topics(kafka, TOPICS)
            crowd = Trial(folder, kafka, shared, workers, given.seed, given.rate, cluster, s3)
            told = await crowd.run([rng.choice(kinds) for _ in range(given.kills)])
    print(f"{workers} ingests, {'files on S3, ' if s3 else ''}seed {given.seed}: {told}")
    print(f"differs from one undisturbed ingest: {told.differences or 'nothing'}", flush=True)
    return not told.differences


@asynccontextmanager
async def one_broker(folder: Path) -> AsyncIterator[tuple[str, None]]:
    """Run the embedded broker for the block."""
    try:
        yield (await asyncio.to_thread(broker.start, folder)).bootstrap, None
    finally:
        await asyncio.to_thread(broker.stop, folder)


def main() -> int:
    """Run as asked; exit code 1: something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.several", description=__doc__)
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[2, 4], help="how many ingests, one trial after another"
    )
    parser.add_argument("--kills", type=int, default=30, help="faults of each trial")
    parser.add_argument("--rate", type=int, default=1000, help="frames a second")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="what is drawn at random")
    parser.add_argument("--brokers", action="store_true", help="a Kafka of three brokers, which are killed too")
    parser.add_argument("--s3", action="store_true", help="the files on an S3 server, which is killed too")
    given = parser.parse_args()
    good = []
    for workers in given.workers:
        folder = Path(tempfile.mkdtemp(prefix="liq-several-"))
        good.append(asyncio.run(trial(folder, workers, given)))
        if good[-1]:  # else its logs stay
            shutil.rmtree(folder)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
