-- levels_against_measured: how much of what known accounts would really lose lies where the estimated levels say, beside simple rules.
-- Reads measured_levels and liquidation_levels of the full hours of the 7 days before as_of(). Grain: one row per base and model (oi,
-- reach), over the maps (hours) that have both. Compared are the bins up to 10 % from the price, empty ones too. rank_correlation:
-- Spearman, of estimated and measured USD over a map's bins, mean over the maps. top_tenth_mass: share of the measured USD that lies in
-- the tenth of the bins with the highest estimate. The rules know no position: mirrored (the estimate of the other side at the same
-- distance), nearest (the nearer the more), uniform (bins shuffled: 0 and a tenth). ahead_share: share of the maps in which the model's
-- top tenth has more than that of every rule. Maps of one day resemble each other, so few days prove little. The estimate is
-- of all venues, the measure of those that show positions. oi_share: how much of open
-- interest the accounts have, so how much the measure itself knows; age_s: mean age of their answers. Subject: Liquidation levels.
WITH measured AS (
    SELECT ts, base, position_side, bin, sum(usd) AS usd FROM measured_levels
    WHERE ts > as_of() - INTERVAL 7 DAYS AND ts <= as_of() AND minute(ts) = 0 AND second(ts) = 0
    GROUP BY ALL
), maps AS (
    SELECT
        ts, base, avg(price_now) AS price_now,
        any_value(CASE WHEN price_low > 0 AND price_high > price_low THEN ln(price_high / price_low) END) AS log_width, avg(oi_share) AS oi_share,
        sum(age_s * usd) / nullif(sum(usd), 0) AS age_s
    FROM measured_levels
    WHERE ts > as_of() - INTERVAL 7 DAYS AND ts <= as_of() AND minute(ts) = 0 AND second(ts) = 0
    GROUP BY ts, base
    HAVING avg(price_now) > 0
), estimated AS (
    SELECT ts, base, coalesce(model, 'oi') AS model, position_side, bin, sum(usd_estimated) AS usd FROM liquidation_levels
    WHERE ts > as_of() - INTERVAL 7 DAYS AND ts <= as_of() AND minute(ts) = 0 AND second(ts) = 0
    GROUP BY ALL
), bins AS (
    SELECT
        m.ts, m.base, e.model, s.position_side, s.away, k.steps, floor(ln(m.price_now) / m.log_width)::INTEGER AS bin_now, m.oi_share, m.age_s
    FROM maps AS m
    JOIN (SELECT DISTINCT ts, base, model FROM estimated) AS e ON m.ts = e.ts AND m.base = e.base
    CROSS JOIN (VALUES ('long', -1), ('short', 1)) AS s (position_side, away)
    CROSS JOIN (SELECT unnest(generate_series(1, 120)) AS steps) AS k
    WHERE k.steps <= floor(ln(1.1) / m.log_width)
), compared AS (
    SELECT
        b.ts, b.base, b.model, b.steps, any_value(b.oi_share) AS oi_share, any_value(b.age_s) AS age_s, b.position_side,
        coalesce(any_value(m.usd), 0) AS measured, coalesce(any_value(e.usd), 0) AS estimate, coalesce(any_value(o.usd), 0) AS mirrored
    FROM bins AS b
    LEFT JOIN measured AS m ON b.ts = m.ts AND b.base = m.base AND b.position_side = m.position_side AND m.bin = b.bin_now + b.away * b.steps
    LEFT JOIN estimated AS e
        ON b.ts = e.ts AND b.base = e.base AND b.model = e.model AND b.position_side = e.position_side AND e.bin = b.bin_now + b.away * b.steps
    LEFT JOIN estimated AS o
        ON b.ts = o.ts AND b.base = o.base AND b.model = o.model AND b.position_side <> o.position_side AND o.bin = b.bin_now - b.away * b.steps
    GROUP BY b.ts, b.base, b.model, b.position_side, b.steps
), ranked AS (
    SELECT
        *, sum(measured) OVER map AS measured_usd, count(*) OVER map / 10 AS tenth,
        rank() OVER (PARTITION BY ts, base, model ORDER BY measured) + (count(*) OVER (PARTITION BY ts, base, model, measured) - 1) / 2 AS of_measured,
        rank() OVER (PARTITION BY ts, base, model ORDER BY estimate) + (count(*) OVER (PARTITION BY ts, base, model, estimate) - 1) / 2 AS of_estimate,
        rank() OVER (PARTITION BY ts, base, model ORDER BY mirrored) + (count(*) OVER (PARTITION BY ts, base, model, mirrored) - 1) / 2 AS of_mirrored,
        row_number() OVER (PARTITION BY ts, base, model ORDER BY estimate DESC, steps, position_side) AS place_estimate,
        row_number() OVER (PARTITION BY ts, base, model ORDER BY mirrored DESC, steps, position_side) AS place_mirrored,
        row_number() OVER (PARTITION BY ts, base, model ORDER BY steps, position_side) AS place_nearest
    FROM compared
    WINDOW map AS (PARTITION BY ts, base, model)
), scored AS (
    SELECT
        ts, base, model, any_value(oi_share) AS oi_share, any_value(age_s) AS age_s, any_value(measured_usd) AS measured_usd,
        corr(of_measured, of_estimate) AS rho, corr(of_measured, of_mirrored) AS rho_mirrored, corr(of_measured, -steps) AS rho_nearest,
        coalesce(sum(measured) FILTER (place_estimate <= tenth), 0) / any_value(measured_usd) AS mass,
        coalesce(sum(measured) FILTER (place_mirrored <= tenth), 0) / any_value(measured_usd) AS mass_mirrored,
        coalesce(sum(measured) FILTER (place_nearest <= tenth), 0) / any_value(measured_usd) AS mass_nearest
    FROM ranked WHERE measured_usd > 0
    GROUP BY ts, base, model
)
SELECT
    base, model, count(*) AS maps,
    avg(rho) FILTER (isfinite(rho)) AS rank_correlation, avg(rho_mirrored) FILTER (isfinite(rho_mirrored)) AS rank_correlation_mirrored,
    avg(rho_nearest) FILTER (isfinite(rho_nearest)) AS rank_correlation_nearest,
    avg(mass) AS top_tenth_mass, avg(mass_mirrored) AS top_tenth_mass_mirrored, avg(mass_nearest) AS top_tenth_mass_nearest,
    0.1::DOUBLE AS top_tenth_mass_uniform, avg((mass > greatest(mass_mirrored, mass_nearest, 0.1))::INTEGER) AS ahead_share,
    avg(measured_usd) AS measured_usd, avg(oi_share) AS oi_share, avg(age_s) AS age_s, min(ts) AS since, max(ts) AS until
FROM scored
GROUP BY base, model
ORDER BY base, model
