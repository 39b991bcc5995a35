"""What is stored, as it is stored: `changes.py` reads it off the snapshots, `stream.py` sends it as server-sent events."""
