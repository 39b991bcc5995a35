-- signals_hour(): the last full hour whose rows have had ten minutes to arrive: the one that the views of signals show.
-- Subject: Signals.
time_bucket(INTERVAL 1 HOUR, as_of() - INTERVAL 10 MINUTES)
