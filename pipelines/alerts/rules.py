"""The file of rules (TOML): where alerts go, and what is looked for. What is wrong is said with the nearest right name."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import apprise
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator

from pipelines.alerts.kinds import KINDS, OfCoins, OfVenues, Rule, Signal, Status
from pipelines.errors import UsageError
from pipelines.status.look import CHECKS
from warehouse import names
from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.spelling import resolve

LEAST_SECRET = 16
SQL_OF_SIGNALS = "SELECT DISTINCT signal FROM signal_thresholds"


class Target(BaseModel):
    """Where alerts go: `url`, an address of apprise, or `webhook`, which gets JSON signed with `secret`.

    A value $NAME is that of the environment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr | None = None
    webhook: SecretStr | None = None
    secret: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: _of_environment(value) for name, value in given.items()}

    @model_validator(mode="after")
    def _is_one(self) -> "Target":
        if (self.url is None) == (self.webhook is None):
            raise ValueError("it has either url or webhook")
        if self.webhook and len(self.secret.get_secret_value() if self.secret else "") < LEAST_SECRET:
            raise ValueError(f"a webhook needs secret, at least {LEAST_SECRET} letters: it signs what is sent")
        if self.webhook and not self.webhook.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("webhook begins with https:// or http://")
        if self.url and not apprise.Apprise().add(self.url.get_secret_value()):
            raise ValueError("url is none that apprise knows")
        return self


class Rules(NamedTuple):
    """The file, read."""

    targets: Mapping[str, Target]
    rules: tuple[Rule, ...]

    def targets_of(self, rule: Rule) -> tuple[str, ...]:
        """Return where a rule's alerts go."""
        return rule.to or tuple(self.targets)


def read(path: Path) -> Rules:
    """Return the rules of a file. Raises UsageError, with every fault on a line of its own."""
    try:
        given = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; LIQ_ALERTS_RULES names another file of rules") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    wrong: list[str] = []
    targets, rules = _targets(given, wrong), _rules(given, wrong)
    wrong += _unknown(given, ("deliver", "rule"), "the file")
    for rule in rules:
        wrong += _named(rule.to, list(targets), f"rule {rule.name!r}: to", "destination")
    twice = {rule.name for rule in rules if [each.name for each in rules].count(rule.name) > 1}
    wrong += [f"rule {name!r} is there twice" for name in sorted(twice)]
    if wrong:
        raise UsageError(f"{path}: " + "; ".join(wrong))
    return Rules(targets, tuple(rules))


def unknown_names(rules: Rules, lake: Lake | None, venues: list[str]) -> list[str]:
    """Return what is wrong with the coins, venues, signals and checks that rules name. `lake` None: as far as that goes."""
    wrong: list[str] = []
    for rule in rules.rules:
        about = f"rule {rule.name!r}"
        if isinstance(rule, OfVenues):
            wrong += _named(rule.venue, venues, f"{about}: venue", "venue")
        if isinstance(rule, Status):
            wrong += _named(rule.checks, [name for name, _ in CHECKS], f"{about}: checks", "check")
        if lake and isinstance(rule, OfCoins):
            wrong += _coins(rule.base, lake, about)
        if lake and isinstance(rule, Signal) and rule.signals:
            known = [name for (name,) in lake.connection.execute(SQL_OF_SIGNALS).fetchall()]
            wrong += _named(rule.signals, known, f"{about}: signals", "signal")
    return wrong


def _targets(given: Mapping[str, Any], wrong: list[str]) -> dict[str, Target]:
    found: dict[str, Target] = {}
    told = given.get("deliver", {})
    for name, each in told.items() if isinstance(told, dict) else ():
        try:
            found[name] = Target.model_validate(each)
        except ValidationError as error:
            wrong += _faults(error, Target, f"deliver.{name}")
    return found


def _rules(given: Mapping[str, Any], wrong: list[str]) -> list[Rule]:
    found = []
    told = given.get("rule", [])
    if not isinstance(told, list):
        wrong.append("a rule begins with [[rule]]")
        return []
    for number, each in enumerate(told, 1):
        about = f"rule {each.get('name') or number!r}"
        try:
            kind = KINDS[resolve(str(each.get("kind", "")), list(KINDS), "kind")]
            found.append(kind.model_validate(each))
        except UnknownNameError as error:
            wrong.append(f"{about}: {error}")
        except ValidationError as error:
            wrong += _faults(error, kind, about)
    return found


def _faults(error: ValidationError, kind: type[BaseModel], about: str) -> Iterator[str]:
    for each in error.errors():
        name = ".".join(str(part) for part in each["loc"])
        if each["type"] == "extra_forbidden":
            yield from _named([name], list(kind.model_fields), about, "setting")
        else:
            yield f"{about}: {name + ': ' if name else ''}{each['msg'].removeprefix('Value error, ')}"


def _unknown(given: Mapping[str, Any], known: tuple[str, ...], about: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            yield from _named([name], list(known), about, "part")


def _named(given: Any, known: list[str], about: str, what: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            try:
                meant = resolve(str(name), known, what)
                yield f"{about}: no {what} {name!r}; did you mean {meant}?"
            except UnknownNameError as error:
                yield f"{about}: {error}"


def _coins(given: tuple[str, ...], lake: Lake, about: str) -> Iterator[str]:
    for name in given:
        try:
            if (meant := names.coin(lake, name)) != name:
                yield f"{about}: base: spell {name!r} as {meant}"
        except UnknownNameError as error:
            yield f"{about}: base: {error}"


def _of_environment(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in os.environ:
            raise ValueError(f"{value} is not set in the environment")
        return os.environ[value[1:]]
    return value
