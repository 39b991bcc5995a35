"""Pictures of what the warehouse holds: each function reads a world and returns a matplotlib Figure a notebook shows."""

from pipelines.plots.pictures import cascade, funding, heatmap, liquidation_map, open_interest, realised_heatmap, totals

__all__ = ["cascade", "funding", "heatmap", "liquidation_map", "open_interest", "realised_heatmap", "totals"]
