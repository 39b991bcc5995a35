"""What is to be stored is as the table's description says, or it is refused before anything is written."""

import polars as pl

from warehouse.errors import WrongColumnsError
from warehouse.tables import Table


def checked(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its columns in the table's order, ready to be stored. Raises WrongColumnsError."""
    schema = table.schema
    if frame.is_empty() and frame.schema == schema:
        return frame
    if missing := schema.keys() - frame.schema.keys():
        raise WrongColumnsError(f"{table.name}: the frame lacks {', '.join(sorted(missing))}")
    if unknown := frame.schema.keys() - schema.keys():
        raise WrongColumnsError(f"{table.name}: the table has no column {', '.join(sorted(unknown))}")
    for name, wanted in schema.items():
        given = frame.schema[name]
        if given != wanted and given != pl.Null:
            raise WrongColumnsError(f"{table.name}.{name} takes {wanted}, the frame has {given}")
    for name in table.key:
        if not table.column(name).null_when and frame[name].null_count():
            raise WrongColumnsError(f"{table.name}.{name} is part of the key and may not be null")
    return _without_nul(frame.select(schema.names()))


def _without_nul(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with U+FFFD for each NUL in a text: DuckLake writes what a file spans as SQL, which ends at a NUL.

    Most columns say the same in every row of a batch, which is seen sooner than that they have no NUL.
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    if frame.is_empty() or not texts:
        return frame
    several = frame.select((pl.col(texts) != pl.col(texts).first()).any()).row(0)
    unlike = [name for name, differs in zip(texts, several, strict=True) if differs or frame[name].first() is None]
    alike = [name for name in texts if name not in unlike and "\0" in frame[name][0]]
    found = alike + [name for name, has in zip(unlike, _have_nul(frame, unlike), strict=True) if has]
    return frame.with_columns(pl.col(found).str.replace_all("\0", "\ufffd", literal=True)) if found else frame


def _have_nul(frame: pl.DataFrame, names: list[str]) -> tuple[bool, ...]:
    return frame.select(pl.col(names).str.contains("\0", literal=True).any()).row(0) if names else ()
