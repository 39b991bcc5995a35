-- signals_hour(): the full hour that the views of signals show: the last one whose rows have had ten minutes to arrive.
-- Subject: Signals.
time_bucket(INTERVAL 1 HOUR, as_of() - INTERVAL 10 MINUTES)
