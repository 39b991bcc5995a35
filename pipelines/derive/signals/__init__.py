"""Signals: every full hour is checked once, and what fired is stored as it was known then."""
