"""`python -m tests.foreign`: run the foreign clients on the simulators and print every difference, and who is right."""

import asyncio
import sys

from tests.foreign import further, lines, live, report


def main() -> int:
    """Print the tables; exit code 1 where something is not explained, 2 where no client can be had."""
    run = asyncio.run(live.run())
    found = report.findings(run)
    for name, why in run.missing.items():
        print(f"{name}: left out: {why}", file=sys.stderr)
    print(report.differences_table(found))
    recorded = lines.lines()
    if recorded:
        print("\n" + report.lines_table(lines.verdicts(recorded, run.missing)))
    else:
        print(f"\nno recordings at {lines.RECORDINGS}: the table of recorded lines is left out")
    more = asyncio.run(further.live.run())
    others = further.report.findings(more)
    print(f"\n{further.report.tables(others)}")
    for name in more.missing.keys() - run.missing.keys():
        print(f"{name}: left out: {more.missing[name]}", file=sys.stderr)
    unexplained = [*found.unexplained, *others.unexplained]
    for one in unexplained:
        print(f"NOT EXPLAINED: {one}", file=sys.stderr)
    return 2 if not run.heard else 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
