"""A folder a venue: how to talk to it. `known.py` lists them; `venue.py` and `record.py` say what a folder fills in."""
