"""What the simulated venues list, all together."""

from collections.abc import Iterable

from collectors.simulator.contracts import COINS, Contract, traded
from collectors.venues.simulated import SIMULATED


def listed(coins: Iterable[str], now_ms: int) -> list[Contract]:
    """Return every contract of all venues for these coins; delivery contracts expire at the next quarter's end.

    Raises ValueError for a coin that is not in COINS.
    """
    known = {coin.name: coin for coin in COINS}
    wanted = list(coins)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"coins {unknown} are not simulated; there are {', '.join(known)}")
    offered = [
        each.contract(one) for name in wanted for one in traded(known[name], now_ms) for each in SIMULATED.values()
    ]
    return [contract for contract in offered if contract is not None]
