"""Cascades: stretches in which a coin's liquidations run far above normal, found again the same from the same rows."""
