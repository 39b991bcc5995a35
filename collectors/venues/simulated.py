"""The venues that are simulated. To add one: the `simulator` in its folder, and its name here.

Apart from `known.py`, so that collectors run without the simulator.
"""

from importlib import import_module
from typing import Any

from collectors.simulator.simulated import Simulated

NAMES = (
    "binance",
    "bybit",
    "okx",
)

SIMULATED: dict[str, Simulated[Any]] = {
    name: import_module(f"collectors.venues.{name}.simulator").SIMULATED for name in NAMES
}
