"""Every check of `liq status` as a metric, for alerts, and what it counts: made in a process of its own, when somebody asks for
metrics."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric

EVERY_S = 60.0
WITHIN_S = 60.0
STATES = {"good": 0, "unknown": 1, "needs you": 2}
FILES = "files"
"""The check that counts the small files of a partition."""
COMMAND = (sys.executable, "-m", "liq", "status", "--json")


class _Check(msgspec.Struct):
    subject: str
    state: str
    number: int | None = None


class _Told(msgspec.Struct):
    checks: list[_Check]


class Checked:
    """What `liq status` found last; asked again, beside what is returned, when that is older than `EVERY_S`."""

    def __init__(self, command: Sequence[str] = COMMAND, clock: Callable[[], float] = time.time) -> None:
        self._command = list(command)
        self._clock = clock
        self._asking = threading.Lock()
        self._asked_s = 0.0
        self._found: list[_Check] = []
        self._found_s = 0.0

    def metrics(self) -> Iterable[Metric]:
        """Return the state of each check: 0 good, 1 unknown, 2 needs you; what was counted, and when they were made."""
        if self._clock() - self._asked_s > EVERY_S:
            threading.Thread(target=self.ask, daemon=True).start()
        state = GaugeMetricFamily(
            "liq_check_state", "A check of liq status: 0 good, 1 unknown, 2 needs you", labels=["check"]
        )
        for check in self._found:
            state.add_metric([check.subject], STATES.get(check.state, 1))
        yield state
        files = GaugeMetricFamily("liq_lake_partition_files", "Small files of the partition that has the most")
        for check in self._found:
            if check.subject == FILES and check.number is not None:
                files.add_metric([], check.number)
        yield files
        help = "When the checks were made"
        yield GaugeMetricFamily("liq_checks_timestamp_seconds", help, value=self._found_s)

    def ask(self) -> None:
        """Make the checks now, unless that is under way."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            self._asked_s = self._clock()
            with suppress(OSError, subprocess.SubprocessError, msgspec.MsgspecError):
                done = subprocess.run(self._command, capture_output=True, timeout=WITHIN_S, check=False)
                self._found = msgspec.json.decode(done.stdout, type=_Told).checks
                self._found_s = self._clock()
        finally:
            self._asking.release()
