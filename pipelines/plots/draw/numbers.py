"""Amounts, prices and shares as a trader reads them."""

import math

UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def usd(amount: float, _position: object = None) -> str:
    """Return $1.23M, $950, -$4.5K: three digits, no zeros at the end. Fits matplotlib's FuncFormatter."""
    size = abs(float(f"{amount:.3g}"))
    scale, unit = next(((scale, unit) for scale, unit in UNITS if size >= scale), (1.0, ""))
    digits = f"{size / scale:.2f}".rstrip("0").rstrip(".")
    return f"{'-' if amount < 0 and size else ''}${digits}{unit}"


def usd_of_either_sign(amount: float, _position: object = None) -> str:
    """As usd, without the sign: for axes whose two directions are the two sides."""
    return usd(abs(amount))


def price(value: float, _position: object = None) -> str:
    """Return 67,123, 3,456.7, 0.4321 or 0.00001234: about five digits."""
    if value == 0:
        return "0"
    decimals = min(max(4 - math.floor(math.log10(abs(value))), 0), 12)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate(value: float, _position: object = None) -> str:
    """Return a fraction as percent with the digits funding needs: 0.01%, -0.0025%."""
    text = f"{value * 100:.4f}".rstrip("0").rstrip(".")
    return f"{'0' if text == '-0' else text}%"
