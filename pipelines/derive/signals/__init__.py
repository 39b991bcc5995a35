"""Signals: every full hour looked at once, what fired kept as it was known then."""
