"""What a picture draws, read from the lake. Every function raises NothingToPlotError where there is nothing to draw."""
