"""Where a lake is: its catalogue in a SQLite file or in PostgreSQL, its Parquet files in a folder or on S3."""

import os
import stat
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from warehouse.password import apart
from warehouse.settings import WarehouseSettings

BUSY_TIMEOUT_MS = 10_000
ABSENT = "creating a new DuckLake is explicitly disabled"  # DuckLake's words where a reader finds no catalogue


class Place:
    """What DuckLake is told about the lake of one world."""

    def __init__(self, world: Path, settings: WarehouseSettings) -> None:
        self.world = world
        self._settings = settings
        self._database, self._password = apart(settings.catalogue.get_secret_value())

    @property
    def folder(self) -> Path:
        """The lake's folder on this machine: the write lock and what does not fit memory; by default all else too."""
        return self.world / "lake"

    def make_folder(self) -> None:
        """Make the lake's folder, open to whom the world's is; the world's, where there is none, for its owner alone."""
        if not self.world.exists():
            self.world.parent.mkdir(parents=True, exist_ok=True)
            self.world.mkdir(mode=0o700, exist_ok=True)
        self.folder.mkdir(mode=stat.S_IMODE(self.world.stat().st_mode), exist_ok=True)

    @property
    def sqlite(self) -> Path | None:
        """The catalogue's file; None where PostgreSQL holds it."""
        return None if self._database else self.folder / "catalog.sqlite"

    @property
    def files(self) -> str:
        """Where Parquet files are, with a slash at the end."""
        given = self._settings.files or str(self.folder / "files")
        where = given if "://" in given else str(Path(given).expanduser().absolute())
        return where.rstrip("/") + "/"

    @property
    def local_files(self) -> Path | None:
        """The folder of the Parquet files; None where they are on S3."""
        return None if "://" in self.files else Path(self.files)

    @property
    def owns_files(self) -> bool:
        """Whether the files are in the world's folder, where nothing but this lake has any."""
        return not self._settings.files

    @property
    def extensions(self) -> tuple[str, ...]:
        """DuckDB's extensions that are needed to read it."""
        catalogue = "postgres_scanner" if self._database else "sqlite_scanner"
        return ("ducklake", catalogue, *(["httpfs"] if self._on_s3 else []))

    @property
    def address(self) -> str:
        """PostgreSQL's address without its password; empty where the catalogue is in SQLite."""
        return self._database

    @property
    def options(self) -> list[str]:
        """Options of ATTACH for readers and writers alike."""
        return [f"DATA_PATH {quoted(self.files)}", "OVERRIDE_DATA_PATH true"]

    def attach(self, *, read_only: bool, create: bool = False) -> str:
        """Return the ATTACH as `lake`; `create`: a catalogue is made where there is none."""
        options = list(self.options)
        if not self._database:
            options.append(f"META_BUSY_TIMEOUT {BUSY_TIMEOUT_MS}")
        if read_only:
            options.append("READ_ONLY")
        else:
            options.append(f"CREATE_IF_NOT_EXISTS {str(create).lower()}")
            options += ["DATA_INLINING_ROW_LIMIT 0", *([] if self._database else ["META_JOURNAL_MODE 'WAL'"])]
        catalogue = f"postgres:{self._database}" if self._database else f"sqlite:{self.sqlite}"
        return f"ATTACH {quoted(f'ducklake:{catalogue}')} AS lake ({', '.join(options)})"

    def give_password(self) -> None:
        """Give libpq PostgreSQL's password by the environment: an address that holds it is quoted in DuckDB's errors.

        libpq asks again at every new connection. In one process all catalogues in PostgreSQL share the last password given.
        """
        if self._password:
            os.environ["PGPASSWORD"] = self._password

    def secret(self) -> str:
        """Return the statement that lets DuckDB into the bucket; empty where the files are in a folder."""
        if not self._on_s3:
            return ""
        given = self._settings
        named = {
            "KEY_ID": given.s3_key_id, "SECRET": given.s3_secret.get_secret_value(), "REGION": given.s3_region,
            "SESSION_TOKEN": given.s3_token.get_secret_value(), "ENDPOINT": given.s3_endpoint, "URL_STYLE": given.s3_url_style,
        }  # fmt: skip
        values = [f"{name} {quoted(value)}" for name, value in named.items() if value]
        return f"CREATE SECRET liq_files (TYPE s3, {', '.join(values)}, USE_SSL {given.s3_tls})"

    @property
    def _on_s3(self) -> bool:
        return self._settings.files.startswith("s3://")

    def __str__(self) -> str:
        return str(self.world) if self.sqlite else "the PostgreSQL database of LIQ_CATALOGUE"


def quoted(text: str) -> str:
    """Return `text` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def extension(name: str) -> str:
    """Return the path of one of DuckDB's extensions, as it came with its package."""
    return str(files(f"duckdb_extension_{name}").joinpath(f"extensions/v{version('duckdb')}/{name}.duckdb_extension"))
