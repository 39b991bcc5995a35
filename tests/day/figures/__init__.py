"""Each view's figures from its definition (its head, formulas.md), in plain Python over `facts.Facts`.

A function takes the facts and the instant that `as_of()` means, UTC microseconds, and returns the view's rows.
"""
