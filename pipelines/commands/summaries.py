"""The first line of each command's help, so that `liq --help` needs no command's modules. A test holds them to be the same."""

SUMMARIES = {
    "broker": "The embedded Kafka broker: a real Apache Kafka on this machine alone, for use without a cluster.",
    "import": "Bring files of the past into Kafka; `liq ingest` commits them.",
    "cascades": "Cascades: bursts of liquidations far above a coin's normal.",
    "levels": "Estimated liquidation levels, and how good they are.",
    "plot": "Pictures, as PNG or SVG: heatmaps, maps, totals, cascades, funding.",
    "collect": "Collect every frame of the venues into Kafka until SIGTERM or Ctrl-C.",
    "backfill": "Ask a venue for its past and put every answer into Kafka, unchanged, where `liq ingest` reads it.",
    "simulate": ("Serve the venues on this machine, print the settings that point collectors at them, end on Ctrl-C."),
    "ingest": "Move what Kafka holds into the warehouse, exactly once, then stop; with --follow keep going.",
    "demo": "Run the whole pipeline, nothing left out, against local servers that speak the venues' protocols.",
    "up": "Run the whole pipeline against the live venues: broker, collectors, ingest.",
    "status": "Show what is alive, how old everything is against what is expected, what was lost, and what to do about it.",
    "reprocess": (
        "Read stored frames again with today's parsers and contracts, and make the rows that came "
        "from them what they are now."
    ),
    "audit": "Check what must hold in the tables (sql/checks) over some days, print what does not, and keep the results.",
    "flows": "The Prefect flows that run on a schedule.",
    "watch": "Watch what is liquidated, on the whole terminal: totals, last and largest ones, cascades, feeds and their state.",
    "rollup": "Bring the bars (liquidations_1m, _1h, _1d; prices_1h, _1d; open_interest_1h) up to date: only what changed.",
    "signals": (
        "Look at the full hours that were not looked at yet, and keep the signals that fired: "
        "tables signals, signal_hours."
    ),
    "sql": "Query the warehouse with SQL, beside whatever writes to it.",
    "shell": "Query the warehouse by hand: SQL ended by ;, .tables, .schema NAME, .help.",
    "schema": "Show the tables and views, or one's columns: type, unit, meaning, source, when null.",
    "views": "List the views and macros by subject, each with what it shows.",
    "maintain": "Merge small files, expire old snapshots, delete files out of use.",
    "backup": "Copy the warehouse to another folder, beside whatever writes to it: the catalogue and every file that it names.",
    "verify": "Check that the warehouse is whole: every file there and as it was written, and the accounts right.",
    "restore": "Bring a warehouse back: from a backup, or, where only its catalogue is lost, from what lies beside the data.",
    "parse": "Turn raw frames of a venue into the rows the warehouse would hold, one JSON object a line.",
    "position": (
        "Show where a position is liquidated, what more margin, closing a part or funding would "
        "make of it, and what lies near."
    ),
    "doctor": "Look for what keeps the pipeline from working, and say what to do about it.",
}
