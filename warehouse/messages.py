"""An error of DuckDB or of the disk, as one line that a user can act on."""

import errno
import re
import shutil
import sys
from pathlib import Path

VERIFY = "a file of the warehouse is damaged or missing: `liq verify` names each one"
KEY = "the bucket of LIQ_FILES refuses this key: check LIQ_S3_KEY_ID and LIQ_S3_SECRET, and what the key may do"

_PASSWORD = re.compile(r"""(password\s*=\s*)(?:'(?:\\.|[^'])*'|[^\s"'&]+)|(:)[^\s:/@"]+(?=@)""")
_DAMAGED = re.compile(
    r"No magic bytes|[Ff]ooter length|too small to be a Parquet|Could not read enough bytes|Decompression failure"
    r"|Missing data page header|Invalid string encoding found in Parquet|TProtocolException|don't know what type"
    r"|Out of buffer|invalid TType|Payload value bigger than allowed|(?:RLE encoding|converted type).*(?:data|Type::\w+)$"
    r"|byte sequence mismatch|Failed to read file|(?:Cannot|Could not) open file.*\.parquet|\.parquet.*404"
)
"""What DuckDB's Parquet reader says of a file with flipped bits, of a cut one, and of one that is not there."""
_REFUSED = re.compile(r"s3://.*\b403\b|\b403\b.*s3://")
_FULL = re.compile(r"No space left on device|disk is full|failed to offload|max_temp_directory_size")
_MAYBE_FULL = "disk I/O error"  # of SQLite, also where it cannot make its shared memory on a full disk
_FILE = re.compile(r"""file ["']([^"']+)["']""")
_LITTLE = 16_000_000  # bytes


def of_duckdb(error: Exception) -> bool:
    """Tell whether an error is DuckDB's, without loading it: a process that has not loaded it has no such error."""
    return "duckdb" in sys.modules and isinstance(error, sys.modules["duckdb"].Error)


def one_line(error: Exception, folder: Path | None = None) -> str:
    """Return the message without its position marks and line breaks, and without a password of PostgreSQL's.

    Of a damaged file it adds that `liq verify` names it; of a bucket that refuses the key which settings to check; of a full
    disk the path and the free bytes. `folder`: where the disk is looked at if the message names no file.
    """
    text = without_password(" ".join(str(error).split("\n\nLINE ")[0].split()))
    if full := _full(error, text, folder):
        return f"{text} ({full})"
    if of_duckdb(error) and _REFUSED.search(text):
        return f"{text.rstrip(' .')}; {KEY}"
    if (of_duckdb(error) or isinstance(error, OSError)) and _DAMAGED.search(text):
        return f"{text.rstrip(' .')}; {VERIFY}"
    return text


def without_password(text: str) -> str:
    """Return `text` with the password of each PostgreSQL address in it left out."""
    return _PASSWORD.sub(r"\1\2…", text)


def free(path: Path) -> str:
    """Return how many bytes are free where `path` is, or would be."""
    there = next((each for each in (path, *path.parents) if each.exists()), Path("/"))
    return f"{path}: {shutil.disk_usage(there).free:,} bytes are free there"


def _full(error: Exception, text: str, folder: Path | None) -> str:
    """Return which disk is full, empty where none is."""
    found = _FILE.search(text)
    path = Path(found[1]) if found else folder
    sure = getattr(error, "errno", None) == errno.ENOSPC or _FULL.search(text)
    if path is None or not (sure or _MAYBE_FULL in text):
        return ""
    there = next((each for each in (path, *path.parents) if each.exists()), Path("/"))
    return free(path) if sure or shutil.disk_usage(there).free < _LITTLE else ""
