"""How a process ends that could not do its work: a line on standard error and an exit code.

0: done. 1: it could not be done, or what was found needs you. 2: a wrong argument or setting. 130: Ctrl-C.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from collectors.errors import CollectorError, ConfigurationError, described, of_kafka
from pipelines.errors import InvalidPositionError, PipelineError, UsageError
from warehouse.errors import UnknownNameError, WarehouseError
from warehouse.messages import free, of_duckdb, one_line


@contextmanager
def one_line_errors(name: str) -> Iterator[None]:
    """End the block's errors as a line that begins with the command's name, and an exit code. A closed pipe is no error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ValidationError as error:
        fail(2, f"{name}: {ConfigurationError.of(error)}")
    except (ConfigurationError, UsageError, UnknownNameError) as error:
        fail(2, f"{name}: {plain(error)}")
    except InvalidPositionError as error:
        fail(1, f"{name}: this position cannot be: {plain(error)}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        full = f" ({free(Path(error.filename))})" if error.filename and error.errno == ENOSPC else ""
        fail(1, f"{name}: {where}{error.strerror or error}{full}")
    except (CollectorError, PipelineError, WarehouseError) as error:
        fail(1, f"{name}: {error}")
    except Exception as error:
        if of_duckdb(error):
            fail(1, f"{name}: {one_line(error)}")
        if of_kafka(error):
            fail(1, f"{name}: Kafka: {described(error)}")
        if _is_ctrl_c(error):
            raise KeyboardInterrupt from None
        raise


def _is_ctrl_c(error: BaseException | None) -> bool:
    """Say whether an error is how a library passes on Ctrl-C that was pressed while it worked."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def fail(code: int, line: str) -> NoReturn:
    """Print the line to standard error and end with the exit code."""
    print(line, file=sys.stderr)
    raise SystemExit(code)


def plain(error: object) -> str:
    """Return an error's text on one line."""
    return " ".join(str(error).replace("Value error, ", "").split())  # pydantic's prefix says nothing
