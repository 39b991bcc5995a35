"""The commands of `liq` that work on data; `liq.py` composes them."""
