"""Bars of liquidations kept up to date."""
