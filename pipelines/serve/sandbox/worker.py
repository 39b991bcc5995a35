"""A process that runs SQL of others, one statement after another: `python -m pipelines.serve.sandbox.worker WORLD MEGABYTES`.

It opens the lake to read, then gives up what it does not need, for good: DuckDB's own locks, all files but the lake's and
those to be read alone (Landlock, where the kernel has it), writing any file, and memory beyond its share. Requests come as
lines of JSON on standard input; an answer is a line of JSON and the bytes that it announces, on standard output.
"""

import resource
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import orjson
import pyarrow as pa
from landlock import plumbing as landlock
from landlock.porcelain import Ruleset

from pipelines.serve.sandbox import READY
from pipelines.serve.sandbox.allowed import check
from warehouse import lake
from warehouse.arrow import Batches, batches
from warehouse.errors import QueryError, WarehouseError
from warehouse.exported import export_batches
from warehouse.formats import HELD, Format
from warehouse.lake import Lake
from warehouse.messages import one_line
from warehouse.query import run
from warehouse.settings import WarehouseSettings

MB = 1024 * 1024
TOO_MUCH = "it takes more memory than is allowed"
WARM = "SELECT 1 AS a, 'x' AS b, TIMESTAMP '2026-01-01' AS c FROM totals(1) LIMIT 1"


def main(world: Path, megabytes: int) -> None:
    """Serve what comes on standard input, until it ends."""
    into = sys.stdout.buffer
    # one thread, this one: Landlock does not reach threads that DuckDB has begun before
    settings = WarehouseSettings(duckdb_memory=f"{megabytes // 2}MB", duckdb_threads=1)
    with lake.open(world, settings=settings) as opened:
        check(opened.connection, WARM)
        for kind in (Format.JSON, Format.CSV, Format.PARQUET, Format.ARROW):  # what they import cannot be read later
            export_batches(batches(run(opened, WARM)), kind, BytesIO())
        give_up(opened, megabytes)
        into.write(READY)
        into.flush()
        for line in sys.stdin.buffer:
            _answer(opened, orjson.loads(line), into)


def give_up(opened: Lake, megabytes: int) -> None:
    """Let this process do no more than read the lake, within some memory."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = used + megabytes * MB
    if landlock.landlock_abi_version() > 0 and opened.place.sqlite:
        rules = Ruleset()
        read = landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR
        rules.allow(*{str(opened.place.folder), str(opened.place.sqlite.parent)}, rules=read)
        if opened.place.local_files:
            rules.allow(str(opened.place.local_files), rules=read)
        rules.apply()
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _answer(opened: Lake, asked: dict[str, Any], into: BinaryIO) -> None:
    try:
        body, rows, is_more = _run(opened, asked)
        head: dict[str, Any] = {"bytes": len(body), "rows": rows, "more": is_more}
    except QueryError as error:
        body, head = b"", _wrong(str(error))
    except (duckdb.Error, pa.ArrowException, MemoryError) as error:
        body, head = b"", _wrong(one_line(error) or TOO_MUCH)
    into.write(orjson.dumps(head) + b"\n" + body)
    into.flush()


def _wrong(told: str) -> dict[str, Any]:
    is_spilled = any(
        each in told for each in ("duckdb_temp_storage", "Failed to create directory")
    )  # it may write none
    return {"bytes": 0, "error": TOO_MUCH if is_spilled else told}


def _run(opened: Lake, asked: dict[str, Any]) -> tuple[bytes, int, bool]:
    """Return the rows in the format asked for, how many they are, and whether there are more."""
    connection, kind = opened.connection, Format(asked["format"])
    check(connection, asked["sql"])
    connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{asked['as_of']}'")
    taken, size, number, is_more = list[pa.RecordBatch](), 0, 0, False
    found = batches(run(opened, asked["sql"], held=HELD[kind]))
    for batch in found.batches:
        kept = batch.slice(0, asked["rows"] - number)
        taken.append(kept)
        number, size = number + kept.num_rows, size + kept.nbytes
        if size > asked["size"]:
            raise QueryError(f"the answer is larger than {asked['size'] // MB} MB: ask for fewer columns or rows")
        if is_more := kept.num_rows < batch.num_rows:
            break
    file = BytesIO()
    export_batches(Batches(found.schema, taken), kind, file)
    return file.getvalue(), number, is_more


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except WarehouseError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
