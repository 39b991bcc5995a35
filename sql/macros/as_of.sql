-- as_of(): the instant that "now", "current" and "last hours" mean: the variable as_of where it is set, else the clock.
-- UTC. `SET VARIABLE as_of = TIMESTAMP '2026-11-22 12:00:00'` shows every view as of then,
-- by the exchanges' clocks. It is what is known today of that time: rows of before it that came later, late or by a backfill, count.
coalesce(getvariable('as_of')::TIMESTAMP, now() AT TIME ZONE 'UTC')
