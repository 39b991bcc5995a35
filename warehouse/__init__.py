"""The tables, one transaction for rows and the offsets they came from, and what reads them."""
