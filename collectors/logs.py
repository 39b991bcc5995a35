"""The log of every process: one line an entry, UTC, on standard error."""

import logging
import sys
import time
from typing import Any

from collectors.printable import printable
from collectors.repeats import Repeats

OURS = ("collectors", "pipelines", "warehouse")
LONGEST_LINE = 10_000


class OneLine(logging.Formatter):
    """An entry of the log on one line, whatever it quotes: control characters are escaped, a traceback's lines are indented."""

    converter = staticmethod(time.gmtime)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the entry without its traceback."""
        return printable(super().formatMessage(record), LONGEST_LINE)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return "\n".join(f"    {printable(line, LONGEST_LINE)}" for line in super().formatException(ei).splitlines())


def log_to_stderr(level: int) -> None:
    """Write our log from this level on to standard error, libraries' only where they warn; one line an entry, UTC."""
    form = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(form, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(Repeats(OURS))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for package in OURS:
        logging.getLogger(package).setLevel(level)
