"""OKX: how it lists what is traded. Facts: exchanges/okx.md, "Instruments"."""

from collectors.simulator.contracts import Contract, Shows, Traded

SHOWS = Shows("mark")
SIZES = {
    "BTC": (0.01, 0.01), "ETH": (0.1, 0.01), "SOL": (1, 0.01), "XRP": (100, 0.01), "DOGE": (1000, 0.01),
    "PEPE": (10_000_000, 0.1), "BNB": (0.01, 1), "ADA": (100, 0.1), "AVAX": (1, 1), "LINK": (1, 1), "SUI": (1, 1),
    "TON": (1, 1), "LTC": (1, 0.1), "TRX": (1000, 0.1), "DOT": (1, 1), "NEAR": (10, 0.1), "APT": (1, 1), "ARB": (10, 1),
    "OP": (1, 1), "WIF": (1, 1), "BONK": (100_000, 1), "ENA": (10, 1), "UNI": (1, 1), "AAVE": (0.1, 0.1),
}  # fmt: skip
"""By coin: coins in one linear contract, and the smallest part of a contract that is traded."""


def contract(traded: Traded) -> Contract | None:
    """Return the contract, a swap or a future; None of a coin without a size here."""
    name = f"{traded.coin.name}-{traded.quote}"
    market, end = ("FUTURES", f"{traded.expiry:%y%m%d}") if traded.expiry else ("SWAP", "SWAP")
    if traded.inverse:
        size = 100.0 if traded.coin.name == "BTC" else 10.0
        return traded.contract("okx", market, f"{name}-{end}", SHOWS, size, step=1.0)
    if traded.coin.name not in SIZES:
        return None
    return traded.contract("okx", market, f"{name}-{end}", SHOWS, *SIZES[traded.coin.name])
