"""The checks of `sql/checks`: run, and stored."""
