"""What clients of an archive of many venues ask for, from our rows and frames: a client that takes another address takes ours.
`exchanges.py` says what there is, `feeds.py` gives frames as they came, `days.py` a day of a contract as a table."""
