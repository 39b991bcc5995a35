"""Margin tables written down in a venue's folder, as `static_tiers.csv`: of venues that give theirs only with a key.

Rows of them have source `static`, no frame, and as valid_from the date since which the venue said they hold. Whatever is
heard later (by a stream, or the operator's own by `liq import`) follows them in time.
"""

from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import msgspec
import polars as pl

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.contracts.tiers import MarginTable
from pipelines.columns.schemas import schema
from pipelines.facts import LeverageTier
from pipelines.venues import VENUES

SOURCE = "static"
FILE = "static_tiers.csv"


@cache
def static_tables() -> tuple[MarginTable, ...]:
    """Return the package's margin tables, venue by venue."""
    written = (files(f"pipelines.venues.{name}").joinpath(FILE) for name in VENUES)
    return tuple(table for file in written if file.is_file() for table in tables_of(file.read_bytes()))


def tables_of(text: bytes) -> tuple[MarginTable, ...]:
    """Return the margin tables of CSV laid out as `static_tiers.csv`; times are UTC.

    Raises ValueError and polars' errors where it is laid out otherwise.
    """
    found = pl.read_csv(text, comment_prefix="#", infer_schema=False)
    steps: dict[tuple[str, str, int], list[LeverageTier]] = defaultdict(list)
    for row in found.iter_rows(named=True):
        since = datetime.fromisoformat(row["valid_from"]).replace(tzinfo=UTC)
        given = {name: row.get(name) for name in LeverageTier.__struct_fields__}
        step = msgspec.convert(given, LeverageTier, strict=False)
        if step.initial_margin_rate is None:
            step.initial_margin_rate = 1 / step.max_leverage
        steps[row["venue"], step.symbol, int(since.timestamp()) * 1_000_000].append(step)
    return tuple(MarginTable(*key, tuple(sorted(own, key=lambda step: step.tier))) for key, own in steps.items())


def with_static(book: Instruments, loaded_at: datetime) -> tuple[Instruments, pl.DataFrame]:
    """Return the book with the package's margin tables, and the rows of `leverage_tiers` it lacked: none the second time.

    `loaded_at` (UTC): their ts_recv.
    """
    tables, wanted = static_tables(), schema("leverage_tiers")
    tiers, new = book.tiers.changed(tables)
    at, told = pl.Datetime("us"), {"ts_recv": loaded_at.replace(tzinfo=None), "source": SOURCE}
    rows = [
        dict.fromkeys(wanted) | told | msgspec.structs.asdict(step) | {"venue": tables[n].venue, "valid_from": tables[n].at}
        for n in new for step in tables[n].steps
    ]  # fmt: skip
    found = pl.DataFrame(rows, schema={**wanted, "valid_from": pl.Int64()})
    return book.with_tiers(tiers), found.with_columns(pl.col("valid_from").cast(at))
