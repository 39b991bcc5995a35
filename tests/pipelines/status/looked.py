"""A warehouse, a Kafka and a clock as `liq status` sees them, made by hand. The clock shows some minutes after ten."""

from datetime import UTC, datetime
from typing import Any

from pipelines.status.check import Check
from pipelines.status.kafka import Away, Kafka, Lag
from pipelines.status.seen import Seen
from tests.pipelines.heard import at, brings, commit, event, heard, own
from warehouse.lake import Lake

WS, REST = "binance-um-market-18f00-aa01", "binance-rest-18f00-aa02"
PROCESS = "-collector-18f00-aa03"
MARK, LIQUIDATIONS, INTEREST = "markPrice@1s", "forceOrder", "um_openInterest"
CAUGHT_UP = Kafka("127.0.0.1:20000", [Lag("raw.ticker", 100, 0), Lag("collector.events", 10, 0)])
AWAY = Away("no embedded Kafka runs for data/live")


def seen(warehouse: Lake, minute: float, kafka: Kafka | Away = CAUGHT_UP, **more: Any) -> Seen:
    """Return what the checks see so many minutes after ten; the warehouse's views see the same."""
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [at(minute)])
    return Seen(warehouse.world, at(minute), warehouse, kafka, **more)


def ms(minute: float) -> int:
    """Return the instant so many minutes after ten as Kafka has it."""
    return int(at(minute).replace(tzinfo=UTC).timestamp() * 1000)


def started(warehouse: Lake, minute: float = 0) -> None:
    """One collector of Binance, its poller and its socket begin."""
    told = brings(MARK, topic="raw.ticker") + brings(LIQUIDATIONS)
    polls = [{"channel": INTEREST, "topic": "raw.open_interest", "every_s": 60.0}]
    events = [
        event(WS, "subscribed", at(minute), channels=told), event(REST, "started", at(minute), channels=polls),
    ]  # fmt: skip
    commit(warehouse, at(minute), collector_events=events)


def alive(warehouse: Lake, minute: float, **detail: Any) -> None:
    """Everything of that collector shows that it lives; frames came until then."""
    told = {"clock_offset_ms": 3, "spool_bytes": 0, "spool_frames": 0, "waiting_bytes": 0, "host": "here", "pid": 7}
    process = event(PROCESS, "alive", at(minute), **{**told, **detail}) | {"venue": "", "transport": "rest"}
    commit(
        warehouse, at(minute), [heard(WS, at(minute), at(minute))],
        collector_events=[event(WS, "alive", at(minute)), event(REST, "alive", at(minute)), process],
        raw_frames=[polled(at(minute))],
    )  # fmt: skip


def polled(ts: datetime) -> dict[str, Any]:
    """Return the row of an answer with open interest."""
    return own(REST) | {
        "channel": INTEREST, "symbol": "BTCUSDT", "ts_recv": ts, "transport": "rest",
        "payload": b"{}", "kafka_topic": "raw.open_interest",
    }  # fmt: skip


def only(checks: list[Check]) -> Check:
    """Return the one check there is."""
    (check,) = checks
    return check
