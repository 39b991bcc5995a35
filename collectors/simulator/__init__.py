"""Local servers that speak the venues' protocols, for the demo, the tests and any foreign client."""

from collectors.simulator.faults import FaultError
from collectors.simulator.script import Phases
from collectors.simulator.simulator import Limits, Simulator

__all__ = ["FaultError", "Limits", "Phases", "Simulator"]
