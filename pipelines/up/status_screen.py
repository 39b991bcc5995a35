"""How `liq status` looks."""

from rich.console import Console

from pipelines.status import Status
from pipelines.up.screen import show_rows


def show(out: Console, found: Status) -> None:
    """Print a status as tables, problems last."""
    out.print(f"Kafka: {found.kafka}", soft_wrap=True)
    if found.lags:
        show_rows(
            out, "Topics", [{"topic": lag.topic, "records": lag.end, "not committed": lag.behind} for lag in found.lags]
        )
    age = "never" if found.commit_age_s is None else f"{found.commit_age_s:,.1f} s ago"
    out.print(f"Last commit: {age}")
    if found.feeds:
        show_rows(out, "Feeds", found.feeds)
    for problem in found.problems:
        out.print(f"! {problem}", soft_wrap=True)
    if not found.problems:
        out.print("Nothing needs you.")
