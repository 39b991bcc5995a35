"""What a Python program or a notebook asks of the warehouse: `import liq`. The names are the same for a world on this machine
(`here.py`) and for a service on another (`there.py`); `asking.py` has them."""

from pathlib import Path
from typing import Any

from pipelines.client.asking import AskError as AskError
from pipelines.client.asking import Asking, To
from pipelines.client.here import Here
from pipelines.client.there import There
from warehouse.worlds import reading_world


def connect(where: str | Path | None = None, *, token: str | None = None, to: To = "polars") -> Asking:
    """Connect to a warehouse. Use it in a `with`, or close it.

    In: a world's folder (None: LIQ_DATA, else data/live, else data/demo), or the address of `liq serve`, with its token. `to`:
    what answers are, `polars`, `pandas` or `arrow`. Raises WarehouseError where the world has no warehouse.
    """
    if isinstance(where, str) and where.startswith(("http://", "https://")):
        return There(where, token, to)
    if token is not None:
        raise ValueError("a token is for the address of a service")
    return Here(Path(where) if where is not None else reading_world()[0], to)


def totals(*coins: str, hours: int = 24, to: To = "polars") -> Any:
    """Return `connect().totals(…)`."""
    with connect(to=to) as connection:
        return connection.totals(*coins, hours=hours)


def liquidations(*coins: str, to: To = "polars", **more: Any) -> Any:
    """Return `connect().liquidations(…)`."""
    with connect(to=to) as connection:
        return connection.liquidations(*coins, **more)
