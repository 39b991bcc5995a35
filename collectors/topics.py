"""The Kafka topics: one table of names, partitions and retention, the only place that knows them."""

from typing import NamedTuple

DAY_MS = 24 * 3600 * 1000
MAX_FRAME_BYTES = 32 * 1024 * 1024

CLOCK = {"message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": str(2**63 - 1)}
"""Settings by which Kafka stamps each record with its own clock and refuses none for the time a collector gave it.

The second one is unknown to Kafka before 3.6, which has no such limit.
"""


class Topic(NamedTuple):
    """A topic as it must be. `retention_ms` -1 keeps for ever; `retention_bytes` is per partition, -1 unbounded."""

    name: str
    partitions: int
    retention_ms: int
    holds: str
    retention_bytes: int = -1

    def config(self) -> dict[str, str]:
        """Return the topic's Kafka settings, by Kafka's names."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(self.retention_bytes),
            "max.message.bytes": str(MAX_FRAME_BYTES),
            **CLOCK,
        }


LIQUIDATION = "raw.liquidation"
TICKER = "raw.ticker"
FUNDING = "raw.funding"
OPEN_INTEREST = "raw.open_interest"
RATIO = "raw.ratio"
KLINE = "raw.kline"
REFERENCE = "raw.reference"
EVENTS = "collector.events"
DEAD_LETTER = "dead.letter"

TOPICS = (
    Topic(LIQUIDATION, 4, -1, "liquidation frames"),
    Topic(TICKER, 4, 3 * DAY_MS, "frames with funding, open interest and mark price together", 16 * 1024**3),
    Topic(FUNDING, 2, 30 * DAY_MS, "funding rates, running and settled"),
    Topic(OPEN_INTEREST, 2, 30 * DAY_MS, "open interest"),
    Topic(RATIO, 1, 30 * DAY_MS, "long/short and taker ratios"),
    Topic(KLINE, 2, 3 * DAY_MS, "one-minute klines, polled, or pushed anew at each change", 16 * 1024**3),
    Topic(REFERENCE, 1, -1, "instruments and leverage tiers"),
    Topic(EVENTS, 1, -1, "what happened to a collector's connections and polls, as JSON"),
    Topic(DEAD_LETTER, 1, -1, "frames a collector could not name a channel for, bytes unchanged"),
)

BY_WORTH = (LIQUIDATION, EVENTS, REFERENCE, DEAD_LETTER, FUNDING, OPEN_INTEREST, RATIO, KLINE, TICKER)
"""What is kept longest where not everything can be, first: what no venue gives a second time, and what explains the rest."""
