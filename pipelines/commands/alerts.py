"""`liq alerts`: rules that tell people and programs what happens."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from collectors.logs import log_to_stderr
from pipelines.alerts.deliver import deliver
from pipelines.alerts.found import Seen
from pipelines.alerts.outbox import Alert, Outbox
from pipelines.alerts.rounds import LOOK_BACK, now, one_round
from pipelines.alerts.rounds import run as run_rounds
from pipelines.alerts.rules import Rules, read, unknown_names
from pipelines.errors import UsageError
from pipelines.ingest.alone import alone
from pipelines.settings import AlertsSettings
from pipelines.venues import VENUES
from warehouse import lake
from warehouse.errors import WarehouseError
from warehouse.lake import Lake
from warehouse.worlds import told_world

LOCK = "alerts.lock"

log = logging.getLogger(__name__)

app = typer.Typer()


@app.callback()
def alerts() -> None:
    """Alerts: rules in a file tell people and programs what happens. `liq sql "from alerts"` shows what was told.

    The file is alerts.toml in the world's folder, or LIQ_ALERTS_RULES; infra/README.md says what it has.
    """


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Look once, deliver, and stop.")] = False,
) -> None:
    """Look by every rule, and deliver what is found, until Ctrl-C.

    An alert is written down before it is delivered and delivered again until it arrives, also after a restart: at least once,
    so a receiver may get one twice, with the same id. `liq up` runs this if there is a file of rules.
    """
    log_to_stderr(logging.INFO)
    world, settings = told_world(), AlertsSettings()
    rules = read(settings.file(world))
    for wrong in _wrong(rules, world):  # a world that has just begun does not know its coins yet
        log.warning("%s", wrong)
    with alone(world, LOCK, "`liq alerts run`"):
        if once:
            outbox = Outbox(world)
            found = one_round(world, rules, outbox)
            print(f"{found:,} alerts found, {outbox.waiting():,} deliveries wait")
            outbox.close()
            return
        stop = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        print(f"Watching by {len(rules.rules):,} rules; Ctrl-C stops.", flush=True)
        run_rounds(world, rules, settings.every_s, stop)


@app.command()
def check() -> None:
    """Check the file of rules: names, destinations, queries. Shows what each rule finds now; delivers nothing."""
    world = told_world()
    path = AlertsSettings().file(world)
    rules = read(path)
    if wrong := _wrong(rules, world):
        raise UsageError("; ".join(wrong))
    failed = False
    with _reader(world) as opened:
        for rule in rules.rules:
            moment = now()
            try:
                found = list(rule.find(Seen(world, opened, moment, moment - LOOK_BACK)))
                print(f"{rule.name}: finds {len(found):,} now" + (f", such as: {found[0].title}" if found else ""))
            except WarehouseError as error:
                failed = True
                print(f"{rule.name}: fails: {error}")
    print(f"{path}: {len(rules.rules):,} rules, {len(rules.targets):,} destinations")
    raise typer.Exit(1 if failed else 0)


@app.command("test")
def send_test(
    name: Annotated[str | None, typer.Argument(help="Destination; all of the file if not given.")] = None,
) -> None:
    """Send a test alert to each destination, at once. Exit code 1: one did not take it."""
    rules = read(AlertsSettings().file(told_world()))
    if name and name not in rules.targets:
        raise UsageError(f"no destination {name!r}; known: {', '.join(rules.targets) or 'none'}")
    ts = now().isoformat()
    failed = 0
    for each in [name] if name else rules.targets:
        alert = Alert(
            f"test-{ts}",
            ts,
            "test",
            "test",
            "test",
            "liq: a test alert",
            "It was asked for by `liq alerts test`.",
            "{}",
        )
        wrong = deliver(rules.targets[each], alert)
        failed += bool(wrong)
        print(f"{each}: {wrong or 'delivered'}")
    raise typer.Exit(1 if failed else 0)


@app.command("list")
def list_rules() -> None:
    """List the rules: since when each looks, whether it fails or is switched off, and how many deliveries wait."""
    world = told_world()
    rules = read(AlertsSettings().file(world))
    outbox = Outbox(world)
    for rule in rules.rules:
        standing = outbox.standing(rule, now())
        state = "OFF" if standing.is_off else f"failed {standing.fails} times" if standing.fails else "on"
        error = f": {standing.error}" if standing.error else ""
        print(f"{rule.name}: {rule.kind}, to {', '.join(rules.targets_of(rule)) or 'the table alone'}, {state}{error}")
    print(f"{outbox.waiting():,} deliveries wait")
    outbox.close()


def _wrong(rules: Rules, world: Path) -> list[str]:
    """Return which names in the rules nothing here has."""
    with _reader(world) as opened:
        return unknown_names(rules, opened, list(VENUES))


@contextmanager
def _reader(world: Path) -> Iterator[Lake | None]:
    try:
        opened = lake.open(world)
    except WarehouseError:
        yield None
        return
    with opened:
        yield opened
