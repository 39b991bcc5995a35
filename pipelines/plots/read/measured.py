"""Where known accounts would be liquidated, and how the estimate compares with it, as a picture shows both."""

import polars as pl

from pipelines.derive.levels.freshness import aged
from pipelines.plots.read.asking import rows
from warehouse.lake import Lake

BINS = """
SELECT position_side, bin, any_value(price_low) AS price_low, any_value(price_high) AS price_high, sum(usd) AS usd,
       sum(accounts) AS accounts, any_value(venue) AS venue, avg(oi_share) AS oi_share, sum(age_s * usd) / sum(usd) AS age_s
FROM measured_levels_at(as_of()) WHERE base = $base AND abs(distance) <= $within
GROUP BY position_side, bin ORDER BY position_side, bin
"""
AGAINST = """
SELECT maps, rank_correlation, top_tenth_mass, top_tenth_mass_nearest, top_tenth_mass_mirrored
FROM levels_against_measured WHERE base = $base AND model = $model
"""


def measured(warehouse: Lake, base: str, within: float) -> pl.DataFrame:
    """Return what known accounts of a coin would lose, by position_side and bin at most `within` (fraction) from the price."""
    return rows(warehouse, BINS, {"base": base, "within": within})


def said(warehouse: Lake, found: pl.DataFrame, base: str, model: str) -> tuple[str, ...]:
    """Say what is measured, how much of all it is, and how the model's maps did beside it; nothing where nobody is known."""
    if found.is_empty():
        return ()
    sides = found.group_by("position_side").agg(pl.col("oi_share").mean())
    share = sides.select(pl.col("oi_share").mean()).item()
    known = "an unknown part" if share is None else f"{share:.0%}"
    weighed = found.select((pl.col("age_s") * pl.col("usd")).sum() / pl.col("usd").sum()).item()
    words = (
        f"Measured (hollow bars, on a scale of their own): accounts at {', '.join(sorted(set(found['venue'])))} with {known} "
        f"of its open interest, as it says itself, {aged(round(weighed))} ago on average"
    )
    against = rows(warehouse, AGAINST, {"base": base, "model": model})
    return (words, _against(against)) if against.height else (words,)


def _against(found: pl.DataFrame) -> str:
    row = found.row(0, named=True)
    rho = "not known" if row["rank_correlation"] is None else f"{row['rank_correlation']:.2f}"
    return (
        f"Against the measured, over {row['maps']} hours: rank correlation {rho}; the estimate's top tenth of the bins has "
        f"{row['top_tenth_mass']:.0%} of it (nearest bins {row['top_tenth_mass_nearest']:.0%}, mirrored "
        f"{row['top_tenth_mass_mirrored']:.0%}, by chance 10%)"
    )
