"""Ports of loopback that a process can be given and find again when it is started again."""

import random
import socket
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
USUAL = range(20_000, 30_000)
LEAST, SPAN = 5_000, 10_000
GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(together: int = 1) -> int:
    """Return a loopback port that is free now; `together`: the first of so many in a row. Raises OSError.

    It may be taken before it is used: who starts a server on it tries again elsewhere.
    """
    among = ports()
    for port in random.sample(among, len(among)):
        if all(is_free(port + n) for n in range(together)):
            return port
    raise OSError(f"no {together} ports of {among.start} to {among.stop} in a row are free on {HOST}")


def is_free(port: int) -> bool:
    """Return whether a server could listen on loopback `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except (OSError, OverflowError):
            return False
    return True


@cache
def ports() -> range:
    """Return the ports to choose from: none of those that the system gives to outgoing connections, where that is known."""
    try:
        lowest, highest = map(int, GIVEN_AWAY.read_text().split())
    except (OSError, ValueError):
        return USUAL
    return outside(lowest, highest)


def outside(lowest: int, highest: int) -> range:
    """Return the usual ports if `lowest` to `highest` has none of them, else others below it, above it, or the usual ones."""
    if lowest >= USUAL.stop or highest < USUAL.start:
        return USUAL
    if lowest >= 2 * LEAST:
        return range(max(LEAST, lowest - SPAN), lowest)
    return range(highest + 1, 65_000) if highest < 60_000 else USUAL
