"""`make bench`: run the benchmarks in a folder of their own and print what they reached, and how long each took.

    python -m tests.bench                  those of DAILY, one after the other: below eight minutes on two idle cores
    python -m tests.bench silence real     others by name: how often silences are misjudged, and how levels foretold real data

`views` and `serving` keep their lakes (`kept.py`), so the first run takes longer, by the time to make them, which is printed.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import answering, cascades, freshness, levels, parsing, real, serving, silence, throughput, views

DAILY = {
    "answering": answering.run,
    "parsing": parsing.run,
    "throughput": throughput.run,
    "freshness": freshness.run,
    "views": views.run,
    "cascades": cascades.run,
    "levels": levels.run,
    "serving": serving.run,
}
"""Speeds."""
BENCHMARKS = DAILY | {"silence": silence.run, "real": real.run}
"""And two that judge models, whose figures change with the models alone."""


def main(names: list[str]) -> int:
    """Run the named benchmarks, or those of every day."""
    if unknown := set(names) - BENCHMARKS.keys():
        print(f"no benchmark {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends Kafka and all the others too
    took = {name: _run(name) for name in names or DAILY}
    if len(took) > 1:
        each = ", ".join(f"{name} {seconds:,.0f}" for name, seconds in took.items())
        print(f"\nall of them: {sum(took.values()):,.0f} s ({each})")
    return 0


def _run(name: str) -> float:
    """Run one; return the seconds it took."""
    began = time.monotonic()
    print(f"\n== {name} (load of the machine before: {os.getloadavg()[0]:.1f})", flush=True)
    with tempfile.TemporaryDirectory(prefix="liq-bench-") as folder:
        asyncio.run(BENCHMARKS[name](Path(folder)))
    took = time.monotonic() - began
    print(f"{name} took {took:,.0f} s", flush=True)
    return took


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
