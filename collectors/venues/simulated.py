"""The venues that are simulated. To add one: the `simulator` in its folder, and a line here.

Apart from `known.py`, so that collectors run without the simulator.
"""

from typing import Any

from collectors.simulator.simulated import Simulated
from collectors.venues.binance import simulator as binance
from collectors.venues.bybit import simulator as bybit
from collectors.venues.okx import simulator as okx

SIMULATED: dict[str, Simulated[Any]] = {each.name: each for each in (binance.SIMULATED, bybit.SIMULATED, okx.SIMULATED)}
