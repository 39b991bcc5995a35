-- first_bar(length, since): the start (UTC) of the bar that holds since, of bars of so long; since '': 300 bars back.
-- Subject: Price.
time_bucket(length::INTERVAL, coalesce(nullif(since::VARCHAR, '')::TIMESTAMP, as_of() - 300 * length::INTERVAL))
