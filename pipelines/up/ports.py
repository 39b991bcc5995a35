"""Ports of loopback for the parts of `liq up`."""

import random
import socket

PORTS = range(20_000, 30_000)
"""Below the range from which systems give ports to outgoing connections, so that a part that dies finds its port again."""


def free_port(together: int = 1) -> int:
    """Return a loopback port that is free now; `together`: the first of so many in a row. Raises OSError."""
    for port in random.sample(PORTS, len(PORTS)):
        if all(_is_free(port + n) for n in range(together)):
            return port
    raise OSError(f"no {together} ports of {PORTS.start} to {PORTS.stop} in a row are free on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
