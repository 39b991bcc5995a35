"""What is alive, how old everything is against what is to be expected, and what needs somebody: behind `liq status`.

check.py    one judged thing: its state, age, expectation, what to do
seen.py     what the checks look at: the warehouse, Kafka, the clock
kafka.py    how far Kafka's log reaches, what waits in it and how long
parts.py    the parts of `liq up`, Prefect's server, the flows
ingest.py   lag, commits, dead letters
sessions.py collectors by their sign of life
feeds.py    the age of each channel's data, silent feeds, open gaps
losses.py   missing and dropped frames, a log that changed
machine.py  disks, spool, clocks
look.py     all of them, in order
show.py     as text and as JSON
"""
