"""A warehouse on this machine: its own DuckDB, everything attached, and what the service does with a request, without HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.client.asking import AskError, Asking, Time, To, moment
from pipelines.serve.answers import made
from pipelines.serve.asked import asked
from pipelines.serve.brief import brief
from pipelines.serve.names import Names
from pipelines.serve.problems import ProblemError
from pipelines.serve.resources import Resource, resources
from pipelines.serve.service import now
from pipelines.serve.standing import Standings, iso
from pipelines.serve.validate import validate
from warehouse import lake
from warehouse.arrow import table
from warehouse.catalogue import catalogue
from warehouse.errors import UnknownNameError, WarehouseError
from warehouse.formats import HELD, Format
from warehouse.query import run
from warehouse.query_errors import query_errors
from warehouse.spelling import resolve

MOST_ROWS, MOST_BYTES = 999_999_999, 2**40


class Here(Asking):
    """A world on this machine. `duckdb`: its connection, which reads only, with every table, view and macro by its name."""

    def __init__(self, world: Path, to: To) -> None:
        super().__init__(to)
        self._lake = lake.open(world)
        self._names = Names()
        self._known: dict[str, Resource] = {}

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """DuckDB itself."""
        return self._lake.connection

    def brief(self, coin: str) -> dict[str, Any]:
        """As Asking has it."""
        with self._asked():
            as_of = now()
            self.duckdb.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
            return brief(self._lake, coin, as_of, Standings().of(self._lake, is_now=True))

    def validate(self, instrument: str, since: Time, until: Time, venue: str = "") -> dict[str, Any]:
        """As Asking has it."""
        with self._asked():
            return validate(self._lake, instrument, venue, moment(since), moment(until))

    def views(self) -> list[str]:
        """As Asking has it."""
        return sorted({each.name for each in resources(self._lake).made})

    def close(self) -> None:
        """Close the connection."""
        self._lake.close()

    def _rows(self, name: str, given: dict[str, str], limit: int | None) -> tuple[pa.Table, dict[str, Any]]:
        query = [*given.items(), ("limit", str(MOST_ROWS if limit is None else limit)), ("format", Format.ARROWS.value)]
        with self._asked():
            one = self._resource(name)
            wanted = asked(one, query, "", MOST_ROWS, now(), self._names.of(self._lake))
            found = made(self._lake, one, wanted, Standings(), MOST_BYTES)
        return pa.ipc.open_stream(found.rows).read_all().replace_schema_metadata(None), found.meta

    def _sql(self, query: str) -> tuple[pa.Table, dict[str, Any]]:
        with self._asked():
            found = table(run(self._lake, query, held=HELD[Format.ARROWS]))
        return found, {"as_of": iso(now()), "rows": found.num_rows, "more": False}

    def _resource(self, given: str) -> Resource:
        """Return the view that is meant; described alone, as all take a second. Raises UnknownNameError."""
        names = list(dict.fromkeys(each.call.partition("(")[0] for each in catalogue()))
        name = resolve(given, names, "view")
        if name not in self._known:
            found = resources(self._lake, name)
            if not found.made:
                why = "is not in this world, which an older version wrote" if found.lacks else "is for SQL alone"
                raise UnknownNameError(f"{name} {why}")
            self._known[name] = found.made[0]
        return self._known[name]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Run the block as of now; what goes wrong in it becomes an AskError."""
        try:
            with query_errors():
                self.duckdb.execute("RESET VARIABLE as_of")
                yield
        except ProblemError as problem:
            raise AskError(problem.detail) from None
        except WarehouseError as error:
            raise AskError(str(error)) from None
        finally:
            self.duckdb.execute("RESET VARIABLE as_of")
