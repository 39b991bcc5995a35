"""Bars of liquidations, prices and open interest, kept up to date."""
