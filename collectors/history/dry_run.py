"""What a backfill would do: the venue is asked what it lists, nothing else, and nothing is published."""

import time

from collectors.delivery.recorder import Recorder
from collectors.envelope import RawFrame
from collectors.errors import BrokerError
from collectors.history import plan
from collectors.history.backfill import FEED, client, listed
from collectors.history.covered import Covered
from collectors.history.requests import Requests
from collectors.history.settings import BackfillSettings
from collectors.kafka import KafkaSettings, cluster_id, connection
from collectors.polls.budget import Budget
from collectors.venues.known import HISTORIES
from collectors.venues.venue import Venue


class _Nowhere:
    """A sink for answers that are only looked at."""

    def put(self, frame: RawFrame) -> None:
        """Let the frame go."""

    def takes(self, topic: str) -> bool:  # noqa: ARG002
        """Always."""
        return True

    async def room(self, topic: str = "") -> None:
        """There always is."""

    def is_gapped(self, session: str) -> bool:  # noqa: ARG002
        """Never."""
        return False


async def dry_run(venue: Venue, order: plan.Order, kafka: KafkaSettings, settings: BackfillSettings) -> list[str]:
    """Return the plan as lines: what is not kept so long, and per channel requests and time. Raises CollectorError."""
    history, sink = HISTORIES[venue.name](), _Nowhere()
    budgets = {**venue.budgets, **history.budgets}
    recorder = Recorder(venue.name, FEED, "rest", sink, source="backfill")
    async with client() as opened:
        requests = Requests(venue, Budget(budgets, settings.share), recorder, sink, settings, opened, print)
        listing = await listed(venue, requests)
    try:
        cluster = await cluster_id(connection(kafka))
    except BrokerError:
        cluster = ""  # no Kafka yet: nothing is there
    covered = Covered(kafka.data / FEED / f"{venue.name}.json", cluster)
    found, now = plan.series(history, listing, order), time.time_ns() // 1_000_000
    wanted = order.wanted
    head = f"{venue.name}: {plan.text(wanted.first)} to {plan.text(wanted.last)}, {len(found):,} series"
    return [
        head,
        *plan.not_kept(found, wanted, now),
        *plan.lines(found, wanted, covered, budgets, settings.share, now),
    ]
