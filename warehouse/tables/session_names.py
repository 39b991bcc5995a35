"""What a session's name said before a record had its feed and source: SQL for rows that were stored by then, and no others.

It says the same as `collectors/session_names.py` says of records of version 1.
"""

_NAMED = "regexp_replace(session, '-[0-9a-f]+-[0-9a-f]{4}$', '')"
OLD_FEED = f"CASE WHEN starts_with({_NAMED}, venue || '-') THEN substr({_NAMED}, length(venue) + 2) ELSE {_NAMED} END"
OLD_SOURCE = (
    "CASE WHEN starts_with(session, venue || '-backfill-') THEN 'backfill' "
    "WHEN starts_with(session, venue || '-import-') THEN 'import' ELSE 'live' END"
)
