"""`python -m tests.foreign`: run the foreign clients on the simulators and print every difference, and who is right."""

import asyncio
import sys

from tests.foreign import lines, live, report
from tests.foreign.further import lines as further_lines
from tests.foreign.further import live as further_live
from tests.foreign.further import report as further_report


def main() -> int:
    """Print the tables; exit code 1 where something is not explained, 2 where no client can be had."""
    run, more = asyncio.run(live.run()), asyncio.run(further_live.run())
    found, others = report.findings(run), further_report.findings(more)
    for name, why in (run.missing | more.missing).items():
        print(f"{name}: left out: {why}", file=sys.stderr)
    print(report.differences_table(found), further_report.tables(others), _lines(run.missing), sep="\n\n")
    unexplained = [*found.unexplained, *others.unexplained]
    for one in unexplained:
        print(f"NOT EXPLAINED: {one}", file=sys.stderr)
    return 2 if not run.heard else 1 if unexplained else 0


def _lines(missing: dict[str, str]) -> str:
    recorded, further = lines.lines(), further_lines.lines()
    if not recorded or not further:
        return f"no recordings at {lines.RECORDINGS}: the tables of recorded lines are left out"
    tables = (
        report.lines_table(lines.verdicts(recorded, missing)),
        further_lines.lines_table(further_lines.verdicts(further, missing)),
    )
    return "\n\n".join(tables)


if __name__ == "__main__":
    sys.exit(main())
