"""Rows out of rows: bars, coverage, cascades, levels, signals. Each is replaced in part, and may be run again."""
