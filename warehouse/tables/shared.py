"""Columns that several tables have, described once."""

from warehouse.tables.session_names import OLD_FEED, OLD_SOURCE
from warehouse.tables.table import Column

NO_METADATA = "the contract's metadata was not known when the row was written"

VENUE = Column("venue", "VARCHAR", "Exchange, in lower case", source="record header venue")
SYMBOL = Column("symbol", "VARCHAR", "Contract in the venue's own spelling", source="frame")
INSTRUMENT = Column("instrument", "VARCHAR", "Contract in our spelling, the same for all venues", null_when=NO_METADATA)
BASE = Column("base", "VARCHAR", "Coin the contract is on, without a multiplier prefix (PEPE for 1000PEPEUSDT)",
              null_when=NO_METADATA)  # fmt: skip
QUOTE = Column("quote", "VARCHAR", "Currency the price is in", null_when=NO_METADATA)
SETTLE = Column("settle", "VARCHAR", "Currency of margin and profit", null_when=NO_METADATA)
CONTRACT = Column("contract", "VARCHAR", "linear (margined in the quote) or inverse (margined in the coin)",
                  null_when=NO_METADATA)  # fmt: skip
KIND = Column("kind", "VARCHAR", "perpetual or delivery", null_when=NO_METADATA)
IDENTITY = (VENUE, SYMBOL, INSTRUMENT, BASE, QUOTE, SETTLE)

TS_EVENT = Column("ts_event", "TIMESTAMP", "When it happened, by the exchange's clock", "UTC", "frame")
TS_GRID = Column("ts", "TIMESTAMP", "Start of the grid bucket that contains ts_event", "UTC", "ts_event")
TS_RECV = Column("ts_recv", "TIMESTAMP", "When the frame arrived, by the broker's clock", "UTC",
                 "Kafka's append time, minus the time that the frame waited before it was sent")  # fmt: skip

KAFKA = (
    Column("kafka_topic", "VARCHAR", "Topic of the frame"),
    Column("kafka_partition", "INTEGER", "Partition of the topic"),
    Column("kafka_offset", "BIGINT", "Offset in the partition"),
)
BEFORE = "the row was stored before there was this column"
GRID = (
    Column("channel", "VARCHAR", "The exchange's word for the stream or endpoint", source="record header channel",
           null_when=f"not the value of a grid bucket, or {BEFORE}"),
    Column("ts_arrival", "TIMESTAMP", "Start of the grid bucket of which the row is the last value, by the broker's clock: "
           "when Kafka received the frame or, if the frame had waited more than 5 s, when it arrived", "UTC",
           "ts_recv, append time", f"not the value of a grid bucket, or {BEFORE}"),
    Column("ts_append", "TIMESTAMP", "When the broker received the record, in whole milliseconds", "UTC", "Kafka's append time",
           f"not the value of a grid bucket, {BEFORE}, or the topic does not have Kafka's append times"),
)  # fmt: skip
"""Columns of tables that have the last value of a bucket; after all others, because they were added later."""
GRID_KEY = ("venue", "symbol", "channel", "ts_arrival")
SESSION = Column(
    "session",
    "VARCHAR",
    "One connection, or one run of a poller, that received the frame",
    source="record header session",
)
FEED = Column("feed", "VARCHAR", "Name of the socket or poller; its next sessions have the same name",
              source="record header feed", made_of=OLD_FEED)  # fmt: skip
SOURCE = Column("source", "VARCHAR", "live, backfill (requested from the venue later) or import (from a file)",
                source="record header source", made_of=OLD_SOURCE)  # fmt: skip
"""Columns about a session; after all others in their tables, because they were added later."""
SEQ = Column("seq", "BIGINT", "Number of the frame in its session, from 1 without gaps", source="record header seq")

TRACE = (
    TS_RECV,
    SOURCE._replace(made_of=""),
    *KAFKA,
    SESSION,
    SEQ,
)
INTERVAL_HOURS = Column("interval_hours", "DOUBLE", "Time that one funding rate is for", "hours", "frame or instruments",
                        "the venue does not say and the contract is not known")  # fmt: skip
NULL_REASON = Column("null_reason", "VARCHAR", "Why a quantity or amount of this row is null",
                     null_when="nothing is missing")  # fmt: skip
