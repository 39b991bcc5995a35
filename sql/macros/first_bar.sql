-- first_bar(length, since, bars := 300): the start (UTC) of the bar that contains since; if since is '', of the first of the last `bars` bars.
-- length: of a bar. The running bar counts as one of the last bars. Subject: Price.
CASE WHEN nullif(since::VARCHAR, '') IS NULL THEN time_bucket(length::INTERVAL, as_of()) - (bars - 1) * length::INTERVAL
    ELSE time_bucket(length::INTERVAL, since::VARCHAR::TIMESTAMP) END
