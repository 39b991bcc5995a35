"""How `liq status` looks: what needs somebody last, under everything that was looked at."""

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.status.check import Check
from warehouse.worlds import named

MARKS = {"good": "[green]ok[/]", "unknown": "[yellow]UNKNOWN[/]", "needs you": "[red]NEEDS YOU[/]"}
NOTHING = "Nothing needs you."


def is_fine(checks: list[Check]) -> bool:
    """Tell whether every check was made and found nothing."""
    return bool(checks) and all(check.state == "good" for check in checks)


def show(out: Console, checks: list[Check]) -> None:
    """Print every check, those that need somebody last, each with what to do."""
    table = Table.grid(padding=(0, 2))
    for check in sorted(checks, key=lambda check: list(MARKS).index(check.state)):
        table.add_row(MARKS[check.state], escape(check.subject), escape(check.said))
        if check.mend:
            table.add_row("", "", f"[dim]-> {escape(named(check.mend))}[/]")
    out.print(table)
    if is_fine(checks):
        out.print(NOTHING)


def as_json(checks: list[Check]) -> str:
    """Return the checks as JSON: whether all is fine, and each with state, age, expectation, what to do."""
    listed = [check._asdict() | {"mend": named(check.mend)} for check in checks]
    return msgspec.json.format(msgspec.json.encode({"fine": is_fine(checks), "checks": listed})).decode()
