"""The venues that are simulated: those of `known.py` with a `simulator` in their folder.

Apart from `known.py`, so that collectors run without the simulator.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from collectors.simulator.simulated import Simulated
from collectors.venues.known import NAMES

SIMULATED: dict[str, Simulated[Any]] = {
    name: import_module(f"collectors.venues.{name}.simulator").SIMULATED
    for name in NAMES
    if find_spec(f"collectors.venues.{name}.simulator")
}
