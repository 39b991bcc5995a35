-- first_bar(length, since, bars := 300): the start (UTC) of the bar that holds since, or, where that is '', of the last so many bars.
-- length: of the bars. The running bar is one of the last ones.
-- Subject: Price.
CASE WHEN nullif(since::VARCHAR, '') IS NULL THEN time_bucket(length::INTERVAL, as_of()) - (bars - 1) * length::INTERVAL
    ELSE time_bucket(length::INTERVAL, since::VARCHAR::TIMESTAMP) END
