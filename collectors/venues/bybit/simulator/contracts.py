"""Bybit: how it lists what is traded. Facts: exchanges/bybit.md, "Instruments"."""

from datetime import datetime

from collectors.simulator.contracts import Contract, Shows, Traded

SHOWS = Shows("bankruptcy", twins=True)
MONTHS = "FGHJKMNQUVXZ"


def contract(traded: Traded) -> Contract:
    """Return the contract of one of the two categories; linear ones in USDC have names of their own."""
    if traded.inverse:
        symbol = f"{traded.coin.name}USD{_month(traded.expiry)}"
        return traded.contract("bybit", "inverse", symbol, SHOWS, size=1.0, step=1.0)
    date = f"-{traded.expiry:%d%b%y}".upper() if traded.expiry else ""
    return traded.per_unit(
        "bybit", "linear", f"{traded.unit}{'PERP' if traded.quote == 'USDC' else 'USDT'}{date}", SHOWS
    )


def _month(expiry: datetime | None) -> str:
    return f"{MONTHS[expiry.month - 1]}{expiry:%y}" if expiry else ""
