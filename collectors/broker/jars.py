"""The jar files the broker runs on: in the Maven cache, fetched by coordinate where missing, checked by SHA-256."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from collectors.broker.progress import Progress, progress
from collectors.errors import JarsMissingError

LOCK = Path(__file__).with_name("jars.lock")
ATTEMPTS = 3
PARALLEL = 4
TIMEOUT_S = 30
WHAT_TO_DO = (
    "Either connect this machine to the network and repeat, or set LIQ_KAFKA_BOOTSTRAP=host:port to use a Kafka that "
    "runs elsewhere, or set LIQ_KAFKA_JARS to a folder with the jar files (the folder `libs` of an Apache Kafka 4 "
    "download will do)."
)

logger = logging.getLogger(__name__)


class Jar(NamedTuple):
    """One jar file of the lock; `coordinate` is group:artifact:version, `size` in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Where the file lies below a Maven cache."""
        group, artifact, version = self.coordinate.split(":")
        return Path(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


def locked(lock: Path = LOCK) -> list[Jar]:
    """Return the jars of `jars.lock`, in its order."""
    lines = [line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    return [Jar(coordinate, digest, int(size)) for coordinate, digest, size in lines]


def version(jars: list[Jar]) -> str:
    """Return the version of Apache Kafka these jars hold."""
    return next(jar.coordinate.split(":")[2] for jar in jars if ":kafka_2.13:" in jar.coordinate)


def classpath(folder: Path | None = None) -> list[Path]:
    """Return the files of the broker's class path, all of them there and as locked.

    `folder` (LIQ_KAFKA_JARS): take them from there, whichever Kafka 4 it holds, and fetch nothing. Else from the Maven
    cache (~/.m2/repository, or M2_REPO); missing or damaged ones are fetched there first, with progress on stderr,
    from the repositories jgo's configuration file names (a mirror), else from the public one. Raises JarsMissingError.
    """
    if folder is not None:
        return _from_folder(folder)
    jars = locked()
    return cached(jars, f"Apache Kafka {version(jars)}")


def cached(jars: list[Jar], what: str) -> list[Path]:
    """Return the files of `jars` in the Maven cache, fetched where missing or damaged; `what` they are, for messages.

    Raises JarsMissingError.
    """
    cache = GlobalSettings.load().repo_cache
    if absent := [jar for jar in jars if not _is_whole(cache, jar)]:
        _fetch(absent, cache, what)
    return [cache / jar.path for jar in jars]


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_folder(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.jar"))
    if not any(path.name.startswith("kafka_2.13-4.") for path in found):
        raise JarsMissingError(f"LIQ_KAFKA_JARS={folder}: no kafka_2.13-4.*.jar in that folder. {WHAT_TO_DO}")
    checksums = {jar.path.name: jar.sha256 for jar in locked()}
    if damaged := [path.name for path in found if sha256(path) != checksums.get(path.name, sha256(path))]:
        raise JarsMissingError(f"LIQ_KAFKA_JARS={folder}: damaged (SHA-256 differs): {', '.join(damaged)}.")
    return found


def _is_whole(cache: Path, jar: Jar) -> bool:
    path = cache / jar.path
    if not path.exists():
        return False
    if sha256(path) == jar.sha256:
        return True
    logger.warning("%s is damaged (SHA-256 differs) and is fetched again", path)
    return False


def _fetch(absent: list[Jar], cache: Path, what: str) -> None:
    """Fetch into a folder beside the cache, check, and only then move each file to its place."""
    size = sum(jar.size for jar in absent)
    failed: dict[str, str] = {}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".liq-", dir=cache) as staging,
            progress(f"Fetching {what} ({len(absent)} jars)", size) as shown,
            ThreadPoolExecutor(PARALLEL) as pool,
        ):
            futures = {pool.submit(_fetch_one, jar, Path(staging), cache, shown): jar for jar in absent}
            for future in as_completed(futures):
                if reason := future.result():
                    failed[futures[future].coordinate] = reason
    except OSError as error:
        raise JarsMissingError(f"The Maven cache {cache} cannot be written: {error}. {WHAT_TO_DO}") from error
    if failed:
        raise JarsMissingError(_missing(failed, len(absent), what, cache))


def _fetch_one(jar: Jar, staging: Path, cache: Path, shown: Progress) -> str:
    """Fetch one jar; return why it failed, or nothing."""

    @contextmanager
    def count(_name: str, _size: int) -> Iterator[object]:
        yield shown.advance

    resolver = PythonResolver(progress_callback=count)  # type: ignore[arg-type]
    mirrors = GlobalSettings.load().repositories or None
    context = MavenContext(resolver, repo_cache=staging, remote_repos=mirrors, timeout=TIMEOUT_S)
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            file = context.create_dependency(jar.coordinate).artifact.resolve()
        except (RequestException, RuntimeError, AssertionError) as error:
            reason = "no connection" if isinstance(error, RequestException) else "not there"
        else:
            if sha256(file) == jar.sha256:
                target = cache / jar.path
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, target)
                return ""
            reason = "SHA-256 differs"
        (staging / jar.path).unlink(missing_ok=True)
    return reason


def _missing(failed: dict[str, str], wanted: int, what: str, cache: Path) -> str:
    names = ", ".join(f"{coordinate} ({reason})" for coordinate, reason in sorted(failed.items())[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return (
        f"{what} cannot be fetched: {len(failed)} of the {wanted} jar files that are not in {cache} "
        f"failed: {names}{more}. {WHAT_TO_DO}"
    )
