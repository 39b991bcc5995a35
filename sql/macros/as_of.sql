-- as_of(): the time that "now", "current" and "last hours" mean: the variable as_of if it is set, else the clock. UTC.
-- `SET VARIABLE as_of = TIMESTAMP '2026-11-22 12:00:00'` shows every view as of that time, by the exchanges' clocks. The views
-- then show what is known today about that time, including rows that arrived later, late or by a backfill.
coalesce(getvariable('as_of')::TIMESTAMP, now() AT TIME ZONE 'UTC')
