"""`make bench`: run every benchmark in a folder of its own and print what it reached."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench import (
    answering,
    cascades,
    freshness,
    levels,
    parsing,
    real,
    serving,
    several,
    silence,
    throughput,
    views,
)

BENCHMARKS = {
    "answering": answering.run,
    "parsing": parsing.run,
    "throughput": throughput.run,
    "several": several.run,
    "freshness": freshness.run,
    "views": views.run,
    "cascades": cascades.run,
    "levels": levels.run,
    "silence": silence.run,
    "serving": serving.run,
    "real": real.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    if unknown := set(names) - BENCHMARKS.keys():
        print(f"no benchmark {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="liq-bench-") as folder:
            asyncio.run(BENCHMARKS[name](Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
