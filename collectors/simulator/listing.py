"""What the simulated venues list, all together."""

from collections.abc import Iterable

from collectors.simulator.contracts import COINS, Contract, traded
from collectors.venues.known import USUAL
from collectors.venues.simulated import SIMULATED


def listed(coins: Iterable[str], now_ms: int, venues: Iterable[str] = USUAL) -> list[Contract]:
    """Return every contract of these venues for these coins; delivery contracts expire at the next quarter's end.

    Raises ValueError for a coin that is not in COINS.
    """
    known = {coin.name: coin for coin in COINS}
    wanted, offering = list(coins), [SIMULATED[venue] for venue in venues]
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"coins {unknown} are not simulated; there are {', '.join(known)}")
    offered = [each.contract(one) for name in wanted for one in traded(known[name], now_ms) for each in offering]
    return [contract for contract in offered if contract is not None]
