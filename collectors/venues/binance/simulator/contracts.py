"""Binance: how it lists what is traded. Facts: exchanges/binance.md, "Instruments"."""

from collectors.simulator.contracts import Contract, Shows, Traded

SHOWS = Shows("fill", largest_per_second=True)


def contract(traded: Traded) -> Contract:
    """Return the contract: a perpetual or a quarterly, of USD-M or COIN-M."""
    date = f"_{traded.expiry:%y%m%d}" if traded.expiry else ""
    if not traded.inverse:
        return traded.per_unit("binance", "um", f"{traded.unit}{traded.quote}{date}", SHOWS)
    name = traded.coin.name
    size = 100.0 if name == "BTC" else 10.0
    return traded.contract("binance", "cm", f"{name}USD{date or '_PERP'}", SHOWS, size, step=1.0)
