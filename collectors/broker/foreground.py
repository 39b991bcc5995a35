"""The embedded broker as a service of one process: it stays while the broker runs, and stops it when told to."""

import signal
import time
from pathlib import Path
from types import FrameType

from collectors.broker import process
from collectors.embedded import is_alive, kafka_folder, read_state
from collectors.errors import BrokerError

LOOK_S = 0.5


def stay(world: Path) -> None:
    """Block until SIGTERM or SIGINT, then stop the world's broker. Raises BrokerError when the broker ends by itself."""
    told: list[int] = []

    def tell(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        folder = kafka_folder(world)
        while not told:
            state = read_state(folder)
            if not told and (state is None or not is_alive(state.pid, folder)):
                raise BrokerError(f"The embedded broker ended; its log is in {folder / 'logs'}.")
            time.sleep(LOOK_S)
        process.stop(world)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
