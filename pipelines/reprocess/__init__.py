"""Stored frames through today's parsers again, in place of the rows they gave before."""
