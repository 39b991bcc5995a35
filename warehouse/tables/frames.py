"""raw_frames, dead_letters, collector_events: what came from the venues, as it came."""

from datetime import timedelta

from warehouse.tables.session_names import OLD_FEED, OLD_SOURCE
from warehouse.tables.shared import BEFORE, FEED, KAFKA, SEQ, SESSION, SOURCE, TS_RECV, VENUE
from warehouse.tables.table import Column, Table, by_day, by_month

CHANNEL = Column("channel", "VARCHAR", "The exchange's word for the stream or endpoint", source="record header channel")
SYMBOL = Column(
    "symbol", "VARCHAR", "Contract in the venue's spelling, * for frames of all symbols", source="record key"
)
TRANSPORT = Column("transport", "VARCHAR", "ws or rest", source="record header transport")

RAW_FRAMES = Table(
    name="raw_frames",
    grain="one frame: a WebSocket message or REST answer, byte for byte",
    columns=(
        VENUE,
        CHANNEL,
        SYMBOL,
        TRANSPORT,
        TS_RECV,
        Column(
            "recv_ns", "BIGINT", "When the frame arrived, by the collector's clock", "ns since 1970", "header recv_ns"
        ),
        *KAFKA,
        SESSION,
        SEQ,
        Column("payload", "BLOB", "The frame; decode(payload) gives its text", source="record value"),
        Column("ts_append", "TIMESTAMP", "When the broker received the record, in whole milliseconds", "UTC",
               "Kafka's append time", f"{BEFORE}, or the topic does not have Kafka's append times"),
        FEED._replace(made_of="", null_when=BEFORE),
        SOURCE._replace(made_of="", null_when=BEFORE),
    ),
    partition=by_day("ts_recv"),
    sort=("ts_recv",),
    zstd_level=1,  # measured on JSON frames: a third less time than level 3, and no larger
)  # fmt: skip

FRAMES_FEED, FRAMES_SOURCE = f"coalesce(feed, {OLD_FEED})", f"coalesce(source, {OLD_SOURCE})"
"""Feed and source of a row of `raw_frames`, in SQL: to fill them in would be to write years of frames anew."""

DEAD_LETTERS = Table(
    name="dead_letters",
    grain="one frame, or one item of a frame, that should have become a row and could not",
    columns=(
        *(column._replace(null_when="the record is not a raw record")
          for column in (VENUE, CHANNEL, SYMBOL, TRANSPORT)),
        Column("reason", "VARCHAR", "Why it could not be read"),
        Column("item", "VARCHAR", "Which item of the frame (data[2]); empty for the whole frame"),
        TS_RECV._replace(null_when="the record is not a raw record"),
        *KAFKA,
        SESSION._replace(null_when="the record is not a raw record"),
        SEQ._replace(null_when="the record is not a raw record"),
        Column("payload", "BLOB", "The frame", source="record value",
               null_when="the record has no value, or another item of the frame has it (same topic, partition, offset)"),
    ),
    sort=("ts_recv",),
)  # fmt: skip

COLLECTOR_EVENTS = Table(
    name="collector_events",
    grain="one thing that happened to a collector's connection or poller",
    columns=(
        Column("ts", "TIMESTAMP", "When it happened, by the broker's clock", "UTC",
               "ts_ns, and how far the collector's clock is off"),
        VENUE,
        SESSION,
        TRANSPORT,
        Column("event", "VARCHAR", "connected, started, subscribed, refused, silent, resumed, rolled_over, disconnected, "
               "stopped, poll_failed, poll_stopped or notice"),
        Column("reason", "VARCHAR", "Why it happened", null_when="there is none"),
        Column("frames", "BIGINT", "Frames of the session so far: its highest seq"),
        Column("detail", "VARCHAR", "Further fields of the event, as JSON", null_when="there are none"),
        *KAFKA,
        Column("ts_ns", "BIGINT", "When it happened, by the collector's clock", "ns since 1970", null_when=BEFORE),
        FEED,
        SOURCE,
    ),
    partition=by_month("ts"),
    sort=("ts",),
    key=("session", "event", "ts_ns"),
    key_time="ts",
    key_slack=timedelta(minutes=2),  # an event that is sent again may be told a little apart
)  # fmt: skip
