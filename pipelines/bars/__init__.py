"""Bars of prices and open interest, kept up to date as rows arrive."""
