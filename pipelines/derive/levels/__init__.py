"""Where leveraged positions would be liquidated: an estimate from open interest, traded range, margin tables and leverage.

Two models. `oi`: `model.py` moves the state from block to block, `columns.py` makes maps of it, `fit.py` the leverage weights.
`reach`: `forecast.py` learns from what was liquidated. `score.py` says whether the maps come true. Everything here is an
estimate; nothing is an observed position.
"""
