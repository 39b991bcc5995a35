"""What every command of `liq` has: help that fills the terminal, errors as one line (`failing`)."""

import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from pipelines.failing import fail, one_line_errors, plain
from warehouse.spelling import venue
from warehouse.worlds import apart

ALL = "all"  # of the venues
WIDEST = {"max_content_width": 120}
VALUES = {"str": "TEXT", "int": "N", "int range": "N", "float": "NUMBER", "float range": "NUMBER", "path": "PATH"}
RANGES = {r"([\d.]+)<=x<=([\d.]+)": r"\1 to \2", r"x>=(?=[\d.])": "at least ", r"x<=(?=[\d.])": "at most "}


class Command(TyperCommand):
    """A command that ends in one line and an exit code where it fails. Venues are understood in any case."""

    venues: ClassVar[Callable[[], Collection[str]]] = tuple
    """Returns the venues there are; `liq` sets it."""
    of_files: ClassVar[Callable[[], Collection[str]]] = tuple
    """Returns what else --venue may name: what is imported alone."""

    def invoke(self, ctx: Any) -> Any:
        """Run it; its errors become one line."""
        with one_line_errors(ctx.command_path), apart():
            self._name_venues(ctx.params)
            return super().invoke(ctx)

    def _name_venues(self, given: dict[str, Any]) -> None:
        """Put the venues that are meant in the place of those that were typed. Raises UnknownNameError."""
        if one := given.get("venue"):
            given["venue"] = venue(one, [*Command.venues(), *Command.of_files()])
        if several := given.get("venues"):
            given["venues"] = [venue(each, [*Command.venues(), ALL]) for each in several]

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the name: [OPTIONS] VENUE [FILE]."""
        return [re.sub(r"[{}]", "", piece).upper() for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, the options by their panel."""
        _write_parameters(self, ctx, formatter)


class Group(TyperGroup):
    """Commands under a name; alone it prints its help, the commands by `panels`."""

    panels: ClassVar[Mapping[str, Sequence[str]]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Print the help where nothing is given."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, by their panel, and the options."""
        named = {name for names in self.panels.values() for name in names}
        rest = [name for name in self.commands if name not in named]
        for panel, names in {**self.panels, "Commands": rest}.items():
            rows = [(name, self.commands[name].get_short_help_str(200)) for name in names if name in self.commands]
            _write_section(formatter, panel, rows)
        _write_parameters(self, ctx, formatter)

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run the command that is named; a wrong argument becomes one line and exit code 2."""
        try:
            with one_line_errors("liq"):
                code = super().main(*args, **{**options, "standalone_mode": False})
        except TyperException as error:
            ctx = getattr(error, "ctx", None)
            path = ctx.command_path if ctx else options.get("prog_name") or "liq"
            fail(2, f"{path}: {plain(error.format_message())} (help: {path} --help)")
        except typer.Abort:
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


def dress(app: typer.Typer) -> None:
    """Give every command of `app`, and of the groups in it, what is here."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        own = group.typer_instance.info.cls if group.typer_instance else None
        group.cls = own if isinstance(own, type) and issubclass(own, Group) else Group
        if group.typer_instance:
            dress(group.typer_instance)


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(ctx):
        if record := parameter.get_help_record(ctx):
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            panel = getattr(parameter, "rich_help_panel", None) or kind
            panels.setdefault(panel, []).append(_told(kind, *record))
    for panel, rows in panels.items():
        _write_section(formatter, panel, rows)


def _write_section(formatter: Any, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(_styled(title, bold=True)):
            formatter.write_dl([(_styled(name, fg="cyan"), help) for name, help in rows])


def _told(kind: str, name: str, help: str) -> tuple[str, str]:
    """Return a parameter as people write it: --limit N, --format table|csv, FILE."""
    help = re.sub(r"\.(?=$|  \[)", "", help[:1].upper() + help[1:])
    names, _, value = name.partition(" <")
    if kind == "Arguments":
        return names.removesuffix("...").upper(), help
    listed = value.removesuffix(">").removeprefix("list[").removesuffix("]")
    for written, meant in RANGES.items():
        help = re.sub(written, meant, help)
    return f"{names} {VALUES.get(listed.lower(), listed)}".rstrip(), help


def _styled(text: str, **style: Any) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else typer.style(text, **style)
