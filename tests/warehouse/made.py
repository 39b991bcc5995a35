"""Lakes that were made once and are copied for each test, wherever they are."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from tests.warehouse import servers
from tests.warehouse.servers import S3, Postgres


class Worlds:
    """Lakes of one kind of place; here in the worlds' own folders, and servers run for those who ask for one."""

    def running_postgres(self) -> AbstractContextManager[Postgres]:
        return servers.postgres()

    def running_s3(self) -> AbstractContextManager[S3]:
        return servers.s3()

    def copy(self, source: Path, target: Path) -> None:
        """Copy the lake of a world that is not open into one that has none."""
        shutil.copytree(source / "lake", target / "lake")


WORLDS = [Worlds()]
"""The last one counts."""


def copied(source: Path, target: Path) -> Path:
    """Copy the lake of `source` into `target`, and return that."""
    WORLDS[-1].copy(source, target)
    return target
