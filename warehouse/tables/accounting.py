"""session_frames, ingest_commits, commit_duplicates: what each commit stored and left out, and the offsets that make it
exactly once."""

from warehouse.tables.frames import TRANSPORT
from warehouse.tables.shared import BEFORE, FEED, SESSION, SOURCE, VENUE
from warehouse.tables.table import Column, Table, by_month

TS_COMMIT = Column("ts_commit", "TIMESTAMP", "When the commit was made, by our clock", "UTC")
TOPIC = Column("kafka_topic", "VARCHAR", "Topic of the frames")
PARTITION = Column("kafka_partition", "INTEGER", "Partition of the topic")

_ELSEWHERE = "another row of the session and commit has them, or the row is older than they are"

SESSION_FRAMES = Table(
    name="session_frames",
    grain="the frames of one session, topic and partition that one commit took in",
    columns=(
        VENUE,
        SESSION,
        TRANSPORT,
        TOPIC,
        PARTITION,
        Column("frames", "BIGINT", "Frames", "frames"),
        Column("seq_min", "BIGINT", "Lowest seq"),
        Column("seq_max", "BIGINT", "Highest seq"),
        Column("seq_sum", "BIGINT", "Sum of seq", null_when="the row is newer than `runs`, which replaces it"),
        Column("recv_first", "TIMESTAMP", "When the first of them arrived, by the broker's clock", "UTC", "ts_recv"),
        Column("recv_last", "TIMESTAMP", "When the last of them arrived, by the broker's clock", "UTC", "ts_recv"),
        Column("frames_with_rows", "BIGINT", "Frames that gave rows", "frames"),
        Column("frames_without_rows", "BIGINT", "Frames without rows for a known reason", "frames"),
        Column("frames_dead", "BIGINT", "Frames that became dead letters, whole or in part", "frames"),
        TS_COMMIT,
        Column("runs", "BIGINT[]", "Numbers (seq) of the session's frames in the commit, over all topics and partitions: first "
               "and last of the first run of consecutive numbers, of the second, and so on. A number stored twice is in two",
               null_when=_ELSEWHERE),
        Column("run_times", "TIMESTAMP[]", "When the frames whose numbers are in `runs` arrived; one time per number", "UTC",
               null_when=_ELSEWHERE),
        Column("received_again", "BIGINT", "Records that were skipped because their number was stored already", "frames",
               null_when="stored before they were counted"),
        FEED,
        SOURCE,
    ),
    partition=by_month("ts_commit"),
    sort=("venue", "session", "ts_commit"),
)  # fmt: skip

COMMIT_DUPLICATES = Table(
    name="commit_duplicates",
    grain="the rows of one table that one commit left out, as their key was stored already; none: no row",
    columns=(
        TS_COMMIT,
        Column("table", "VARCHAR", "The table to which the rows would have been added"),
        Column("rows", "BIGINT", "Rows left out", "rows"),
    ),
    partition=by_month("ts_commit"),
    sort=("ts_commit",),
)

INGEST_COMMITS = Table(
    name="ingest_commits",
    grain="one partition's share of one commit",
    columns=(
        TS_COMMIT,
        Column("cluster_id", "VARCHAR", "The Kafka cluster's own id; offsets are valid in this cluster only"),
        TOPIC,
        PARTITION,
        Column("offset_from", "BIGINT", "First offset that was read"),
        Column("offset_next", "BIGINT", "The offset to continue from: the last one that was read + 1"),
        Column("frames", "BIGINT", "Records that were read", "records"),
        Column("rows", "BIGINT", "Rows they gave, over all tables", "rows"),
        Column("dead_letters", "BIGINT", "Dead letters they gave", "rows"),
        Column("commit_id", "VARCHAR", "Name of the commit; of several commits merged into one row, the name of one",
               null_when=BEFORE),
        Column("incarnation", "VARCHAR", "Which log the offsets belong to: Kafka's id of the topic, and how often the log has "
               "lost records that were read", null_when=BEFORE),
        Column("appended_last", "TIMESTAMP", "When the broker received the last record", "UTC", "Kafka's append time",
               f"{BEFORE}, or the topic does not have Kafka's append times"),
        Column("last_record", "VARCHAR", "The last record: offset/append time in ms/seq/session", null_when=BEFORE),
    ),
    partition=by_month("ts_commit"),
    sort=("cluster_id", "kafka_topic", "kafka_partition", "ts_commit"),
)  # fmt: skip
