-- first_bar(length, since, bars := 300): the start (UTC) of the bar that holds since, of bars of so long; since '': that of the last
-- so many bars, the running one among them.
-- Subject: Price.
CASE WHEN nullif(since::VARCHAR, '') IS NULL THEN time_bucket(length::INTERVAL, as_of()) - (bars - 1) * length::INTERVAL
    ELSE time_bucket(length::INTERVAL, since::VARCHAR::TIMESTAMP) END
