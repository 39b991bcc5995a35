"""liquidations_1m, _1h, _1d: liquidations summed per bar and contract; liquidation_cells_15m: by time and price; and what they
have still to take in.
feed_coverage: how whole each feed was."""

from datetime import timedelta

from warehouse.tables.shared import BASE, CONTRACT, IDENTITY, INSTRUMENT, KIND, SYMBOL, VENUE
from warehouse.tables.table import Column, Table, by_day, by_month

_SUMS = (
    Column("position_side", "VARCHAR", "long or short: whose positions were closed"),
    Column(
        "completeness",
        "VARCHAR",
        "Class of the feed: all (it sent every liquidation), or how it was limited, such as one per second and contract",
    ),
    Column("usd", "DOUBLE", "Sum of notional_usd; 0 where no row has one", "USD", "liquidations_filled_in"),
    Column("qty_base", "DOUBLE", "Sum of qty_base; 0 where no row has one", "coins", "liquidations_filled_in"),
    Column("count", "BIGINT", "Liquidations", "rows"),
    Column("unpriced", "BIGINT", "Liquidations without notional_usd, which are not in usd", "rows"),
    Column("largest_usd", "DOUBLE", "The largest one", "USD", null_when="none has notional_usd"),
    Column("seconds", "BIGINT", "Different seconds in which there was at least one", "s"),
)


def _bars(name: str, time: str, length: str, partition: tuple[str, ...]) -> Table:
    return Table(
        name=name,
        grain=f"the liquidations of one contract, position side and completeness class in one {length}; none: no row",
        columns=(
            Column(time, "TIMESTAMP", f"Start of the {length}, by the exchange's clock", "UTC", "ts_event"),
            *IDENTITY,
            CONTRACT,
            KIND,
            *_SUMS,
        ),
        partition=partition,
        sort=("venue", "symbol", time),
        append_only=False,
    )


LIQUIDATIONS_1M = _bars("liquidations_1m", "minute", "minute", by_day("minute"))
LIQUIDATIONS_1H = _bars("liquidations_1h", "hour", "hour", by_month("hour"))
LIQUIDATIONS_1D = _bars("liquidations_1d", "day", "day (UTC)", ())

_SUM = {column.name: column for column in _SUMS}
LIQUIDATION_CELLS_15M = Table(
    name="liquidation_cells_15m",
    grain="the liquidations of one contract, position side, completeness class and kind of price in one quarter of an hour "
    "and one step of price; none: no row",
    columns=(
        Column("bin_start", "TIMESTAMP", "Start of the quarter of an hour, by the exchange's clock", "UTC", "ts_event"),
        VENUE,
        SYMBOL,
        INSTRUMENT,
        BASE,
        _SUM["position_side"],
        _SUM["completeness"],
        Column("price_kind", "VARCHAR",
               "What price is: fill_average, order_limit, bankruptcy, acquired, mark, okx_bkPx, undocumented"),
        Column("price_low", "DOUBLE", "Lower edge of the step, a multiple of price_step", "quote per coin",
               null_when="the rows have no price"),
        Column("price_step", "DOUBLE", "Width of the step: the largest power of ten that is at most 0.2 % of the price",
               "quote per coin", null_when="the rows have no price"),
        Column("price_max", "DOUBLE", "Highest price", "quote per coin", null_when="the rows have no price"),
        *(_SUM[name] for name in ("usd", "count", "unpriced", "largest_usd")),
    ),
    partition=by_month("bin_start"),
    sort=("venue", "symbol", "bin_start"),
    append_only=False,
)  # fmt: skip

UNITS = {"liquidations": timedelta(minutes=1), "prices": timedelta(hours=1), "open_interest": timedelta(hours=1)}
"""The kinds of bars, and the times that are noted of each: those of its shortest bar."""

ROLLUP_PENDING = Table(
    name="rollup_pending",
    grain="minutes or hours whose rows changed, or a contract described anew, since the rollups last took it in",
    columns=(
        Column("since", "TIMESTAMP", "Start of the first of the minutes or hours, of one day", "UTC", "ts_event",
               "it is a contract, or all of the bars"),
        Column("until", "TIMESTAMP", "End of the last of them", "UTC", "ts_event", "it is a contract, or all of the bars"),
        VENUE._replace(null_when="it is a time"),
        SYMBOL._replace(null_when="it is a time"),
        Column("bars", "VARCHAR", "Which bars: liquidations (by the minute), prices or open_interest (by the hour)",
               null_when="it is a contract", made_of="CASE WHEN since IS NOT NULL THEN 'liquidations' END",
               # their rows were not noted before, and some were never taken in
               when_added="INSERT INTO rollup_pending (bars) VALUES ('prices'), ('open_interest')"),
    ),
    append_only=False,
)  # fmt: skip

OLD_REASON = "CASE WHEN topic = 'raw.liquidation' AND connected_share = 0 THEN gap_reason END"
OLD_STATE = "CASE WHEN topic = 'raw.liquidation' THEN CASE WHEN connected_share > 0 THEN 'LIVE' ELSE 'SILENT' END END"
FEED_COVERAGE = Table(
    name="feed_coverage",
    grain="one minute of one venue's channel, from when it was first listened to; sockets and polls, not backfills or imports",
    columns=(
        Column("minute", "TIMESTAMP", "Start of the minute, by our clock", "UTC", "ts_recv"),
        Column("hour", "TIMESTAMP", "Start of the minute's hour, stored so that sums by the hour open only one day's files",
               "UTC", "minute", made_of="date_trunc('hour', minute)"),
        VENUE,
        Column("channel", "VARCHAR", "The exchange's word for the stream or endpoint"),
        Column("transport", "VARCHAR", "ws or rest"),
        Column("topic", "VARCHAR", "Kafka topic of its frames"),
        Column("connected_share", "DOUBLE", "Share of the minute in which at least one session listened (if the contracts are "
               "split over several sockets, weighted by their share); 0 if no collector ran", "fraction",
               "collector_events, session_frames"),
        Column("frames", "BIGINT", "Frames that arrived", "frames", "raw_frames", "frames of the topic are not kept"),
        Column("rows", "BIGINT", "Liquidations of the channel that happened in the minute; 0 for channels of other data",
               "rows"),
        Column("contract_seconds", "BIGINT", "Pairs of contract and second (of the exchange) with a liquidation", "pairs"),
        Column("saturated_seconds", "BIGINT", "Of these, on a throttled feed, those with a liquidation of the same contract in "
               "the second before or after: the feed was at its limit, and more may have happened than was sent", "pairs"),
        Column("gap_reason", "VARCHAR", "Why it was not listened to for the whole minute", null_when="it was"),
        Column("repaired", "BOOLEAN", "Whether a backfill or an import has added rows of this minute since",
               null_when="it was heard whole, and is LIVE"),
        Column("state", "VARCHAR", "LIVE: it was listened to, and nothing is suspicious. SUSPECT: it was connected, and silent "
               "for so long that this is unlikely if it works. SILENT: so unlikely that the minute counts as not heard, "
               "or nobody listened", source="silence_rules", null_when="the channel carries no liquidations",
               made_of=OLD_STATE),
        Column("state_reason", "VARCHAR", "Since when nothing came and what was expected, or why nobody listened",
               null_when="state is LIVE or null", made_of=OLD_REASON),
        Column("silence_likelihood", "DOUBLE", "How likely a silence this long (until this minute) is, if the channel works",
               "fraction", "silence_rules",
               "it is over 0.01, it was SILENT before, a liquidation came, or it is a channel of other data"),
        Column("carries_liquidations", "BOOLEAN", "Whether the channel sends liquidations: one of those whose completeness is "
               "known", source="pipelines/venues: completeness", made_of="topic = 'raw.liquidation'"),
    ),
    partition=by_day("minute"),
    sort=("venue", "channel", "minute"),
    append_only=False,
)  # fmt: skip
