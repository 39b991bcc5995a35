-- rsi_series(relation, n): Wilder's RSI of every series in the named relation (a table, view or CTE).
-- The relation must have the columns venue, symbol, instrument, "interval", bar and "close". The first four name a series, bar
-- orders it. Grain: one row of it. First averages: plain means of the first n gains and losses; then avg = (avg * (n - 1) + x) /
-- n. RSI = 100 - 100 / (1 + gain / loss); 100 if loss is 0, 50 if both are 0. changes: closes before the row in its series; value
-- is null before n of them. settled: at least 10 n, so that the series' start no longer matters. n >= 2. A missing bar is skipped.
WITH changed AS (
    SELECT *, "close" - lag("close") OVER series AS step, row_number() OVER series - 1 AS changes
    FROM query_table(relation)
    WHERE "close" IS NOT NULL
    WINDOW series AS (PARTITION BY venue, symbol, instrument, "interval" ORDER BY bar)
), terms AS (
    -- the averages are sums of terms that fade by (n-1)/n a bar; summed in blocks of 300 n, over which a term fades to nothing
    SELECT
        *,
        CASE WHEN changes < n THEN -1 ELSE (changes - n) // (300 * n) END AS block,
        CASE WHEN changes < n THEN 0 ELSE (changes - n) % (300 * n) END AS k,
        CASE WHEN changes = n THEN avg(greatest(step, 0)) OVER first ELSE greatest(step, 0) / n END AS gain,
        CASE WHEN changes = n THEN avg(greatest(-step, 0)) OVER first ELSE greatest(-step, 0) / n END AS loss
    FROM changed
    WINDOW first AS (PARTITION BY venue, symbol, instrument, "interval" ORDER BY bar ROWS BETWEEN n - 1 PRECEDING AND CURRENT ROW)
), blocks AS (
    SELECT
        *,
        pow((n - 1) / n, k) * sum(gain * pow(n / (n - 1), k)) OVER own AS gain_here,
        pow((n - 1) / n, k) * sum(loss * pow(n / (n - 1), k)) OVER own AS loss_here
    FROM terms
    WINDOW own AS (PARTITION BY venue, symbol, instrument, "interval", block ORDER BY bar)
), averages AS (
    SELECT
        *,
        gain_here + CASE WHEN block > 0 THEN pow((n - 1) / n, k + 1) * lag(gain_here, k + 1) OVER series ELSE 0 END AS avg_gain,
        loss_here + CASE WHEN block > 0 THEN pow((n - 1) / n, k + 1) * lag(loss_here, k + 1) OVER series ELSE 0 END AS avg_loss
    FROM blocks
    WINDOW series AS (PARTITION BY venue, symbol, instrument, "interval" ORDER BY bar)
)
SELECT
    * EXCLUDE (step, block, k, gain, loss, gain_here, loss_here, avg_gain, avg_loss),
    CASE
        WHEN n < 2 THEN error('n is 2 at least: an RSI of one change says nothing')::DOUBLE
        WHEN changes < n THEN NULL
        WHEN avg_loss = 0 AND avg_gain = 0 THEN 50
        WHEN avg_loss = 0 THEN 100
        ELSE 100 - 100 / (1 + avg_gain / avg_loss)
    END AS value,
    changes >= 10 * n AS settled
FROM averages
