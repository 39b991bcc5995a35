"""Where leveraged positions would be liquidated: an estimate from open interest, traded range, margin tables and leverage.

`model.py` moves the state from block to block, `columns.py` makes maps of it, `fit.py` the leverage weights, `score.py`
says whether the maps come true. Everything here is an estimate; nothing is an observed position.
"""
