"""What can go wrong in the warehouse.

WarehouseError
  NoWarehouseError      nothing is there yet
  LostCatalogueError    Parquet files are there, and no catalogue that names them
  WarehouseBusyError    another process holds the write lock for too long
  SchemaMismatchError   the stored tables are not those this version describes
  WrongColumnsError     a frame's columns are not the table's
  WriteFailedError      nothing of the transaction was stored
  FencedError           another process has stored what this commit is of
  StoredError           this very commit is stored already: only its answer was lost
  OvertakenError        others have committed meanwhile: do it again, with the write lock
  FramesChangedError    other frames are stored than those that were read
  QueryError            the SQL cannot be run, or would write
  UnknownNameError      nothing here is called so
"""


class WarehouseError(Exception):
    """Base of all errors of this package; the message is one line a user can act on."""


class NoWarehouseError(WarehouseError):
    """There is no warehouse in the folder; the message names it and what to run."""


class LostCatalogueError(WarehouseError):
    """Parquet files lie where the catalogue that names them is gone; the message says how to bring it back."""


class WarehouseBusyError(WarehouseError):
    """The write lock, or a turn that others have, was not to be had in time; the message names who has it."""


class SchemaMismatchError(WarehouseError):
    """A stored column has another type, or is not described; nothing was changed."""


class WrongColumnsError(WarehouseError):
    """A frame's column is missing, unknown or of another type, or a key is null; nothing was written."""


class WriteFailedError(WarehouseError):
    """The transaction was rolled back whole. Offsets in the warehouse are still those of the last commit."""


class FencedError(WarehouseError):
    """Another process has committed records of the same partition. Nothing was stored; read on from the stored offsets."""


class StoredError(WarehouseError):
    """This very commit is stored already: only its answer was lost."""


class OvertakenError(WarehouseError):
    """What others have committed meanwhile may not go with this. Nothing was stored; do it again under the write lock."""


class FramesChangedError(WarehouseError):
    """Frames of a time that is being reprocessed were stored meanwhile; nothing was changed, read them again."""


class QueryError(WarehouseError):
    """The query failed: syntax, unknown name, or a write through a reader."""


class UnknownNameError(WarehouseError):
    """No coin, contract, venue, table or view is called so; the message has the nearest names."""
