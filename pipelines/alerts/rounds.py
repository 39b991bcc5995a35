"""The loop of `liq alerts run`: look by every rule, deliver what waits, store what is done."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import duckdb

from pipelines.alerts.deliver import GIVE_UP_S, deliver, pause_s
from pipelines.alerts.found import Found, Seen
from pipelines.alerts.kinds import Rule
from pipelines.alerts.outbox import FAILS, Delivery, Outbox
from pipelines.alerts.rules import Rules
from pipelines.alerts.stored import store
from warehouse import lake
from warehouse.errors import QueryError, UnknownNameError, WarehouseError
from warehouse.lake import Lake
from warehouse.messages import one_line

LOOK_BACK = timedelta(days=1)
"""What happened longer ago is not told any more, where nothing ran meanwhile."""
FAILED_S, FAILED_MOST_S = 15.0, 600.0

log = logging.getLogger(__name__)


def now() -> datetime:
    """Return the time, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def run(world: Path, rules: Rules, every_s: float, stop: Event) -> None:
    """Do rounds until `stop` is set."""
    outbox = Outbox(world)
    try:
        while not stop.is_set():
            one_round(world, rules, outbox, stop)
            stop.wait(every_s)
    finally:
        outbox.close()


def one_round(world: Path, rules: Rules, outbox: Outbox, stop: Event | None = None) -> int:
    """Do one round and return how many alerts were found."""
    with _opened(world) as opened:
        found = sum(look(world, opened, rule, rules, outbox) for rule in rules.rules)
    for delivery in outbox.due(time.time()):
        if stop and stop.is_set():
            break
        send(delivery, rules, outbox)
    store(world, outbox, now())
    return found


def look(world: Path, opened: Lake | None, rule: Rule, rules: Rules, outbox: Outbox) -> int:
    """Look by one rule, put what it finds into the outbox, and return how many are new. Switches it off if it fails often."""
    moment = now()
    standing = outbox.standing(rule, moment)
    if standing.is_off or standing.due > time.time():
        return 0
    if opened:
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{moment}'")
    seen = Seen(world, opened, moment, max(standing.since, moment - LOOK_BACK))
    try:
        found = list(rule.find(seen))
    except (QueryError, UnknownNameError, duckdb.Error, KeyError, TypeError, ValueError) as error:
        _failed(rule, one_line(error), rules, outbox)
        return 0
    except WarehouseError as error:  # no lake now: that is not the rule's fault
        log.warning("rule=%r cannot look: %s", rule.name, error)
        return 0
    outbox.worked(rule)
    due = quiet_until(rule, moment)
    return sum(outbox.put(rule, each, rules.targets_of(rule), moment, due) for each in found)


def _failed(rule: Rule, error: str, rules: Rules, outbox: Outbox) -> None:
    standing = outbox.standing(rule, now())
    due = time.time() + min(FAILED_S * 2**standing.fails, FAILED_MOST_S)
    is_off = outbox.failed(rule, error, due)
    log.warning("rule=%r failed=%d: %s", rule.name, standing.fails + 1, error)
    if is_off:
        title = f"the rule {rule.name!r} failed {FAILS} times in a row and is switched off"
        found = Found("switched off", title, f"{error}; change the rule to switch it on again", {"error": error})
        of_rule = Rule(name=rule.name, kind="rule", again=timedelta(0))
        outbox.put(of_rule, found, rules.targets_of(rule), now(), 0.0)


def send(delivery: Delivery, rules: Rules, outbox: Outbox) -> None:
    """Deliver one alert to one target, or note when it is tried again."""
    target = rules.targets.get(delivery.target)
    if target is None:
        outbox.given_up(delivery, "the file of rules has no such destination any more", now())
        return
    try:
        wrong = deliver(target, delivery.alert)
    except Exception as error:  # noqa: BLE001 - of any plugin; one destination must not stop the others
        wrong = type(error).__name__
    tries, age_s = delivery.tries + 1, (now() - datetime.fromisoformat(delivery.alert.ts)).total_seconds()
    if not wrong:
        outbox.delivered(delivery, now())
        log.info("delivered alert=%s rule=%r to=%s", delivery.alert.id, delivery.alert.rule, delivery.target)
    elif age_s > GIVE_UP_S:
        outbox.given_up(delivery, wrong, now())
        log.error("given up alert=%s to=%s tries=%d: %s", delivery.alert.id, delivery.target, tries, wrong)
    else:
        outbox.postponed(delivery, wrong, time.time() + pause_s(tries))
        log.warning("not delivered alert=%s to=%s tries=%d: %s", delivery.alert.id, delivery.target, tries, wrong)


def quiet_until(rule: Rule, moment: datetime) -> float:
    """Return when a rule's quiet hours end, seconds of the epoch; 0 where they are not now."""
    if not rule.quiet:
        return 0.0
    begin, end = ((int(each[:2]) * 60 + int(each[3:])) for each in rule.quiet.split("-"))
    minute = moment.hour * 60 + moment.minute
    is_quiet = begin <= minute < end if begin <= end else minute >= begin or minute < end
    if not is_quiet:
        return 0.0
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = day + timedelta(minutes=end, days=int(minute >= end))
    return ends.replace(tzinfo=UTC).timestamp()


@contextmanager
def _opened(world: Path) -> Iterator[Lake | None]:
    try:
        opened = lake.open(world)
    except WarehouseError as error:
        log.warning("no warehouse now: %s", error)
        yield None
        return
    with opened:
        yield opened
