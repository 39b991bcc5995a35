"""The foreign clients, pinned and hash-locked, each in a cache folder of its own: installed once, found again.

Not in the project's environment and not in its folder: their dependencies are theirs. `UnavailableError` says why one
cannot be had here.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
CHDB, QUIXSTREAMS = HERE / "chdb.lock", HERE / "quixstreams.lock"  # of the benchmarks only
CRYPTOFEED_3 = HERE / "further" / "cryptofeed.lock"
TARDIS = HERE / "tardis.lock"  # of the Python client, which reads our service
KUBERNETES = HERE / "kubernetes.lock"  # of the schemas of its objects
REQUIREMENTS, NODE_LOCK = HERE / "requirements.lock", HERE / "tardis" / "package-lock.json"
VERSIONS = {"tardis-dev": "13.35.3", "ccxt": "4.5.90", "cryptofeed": "2.4.1", "cryptofeed 3": "3.0.1"}
INSTALL_S = 300.0
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


class UnavailableError(Exception):
    """A foreign client cannot be had on this machine; says why."""


def node_modules() -> Path:
    """Return the folder for NODE_PATH with tardis-dev in it. Raises UnavailableError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise UnavailableError("no Node.js here (needs node and npm)")
    with _folder("node", NODE_LOCK) as folder:
        if not (folder / ".installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(NODE_LOCK.with_name(name), folder)
            _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)], "tardis-dev")
            (folder / ".installed").touch()
    return folder / "node_modules"


def python() -> Path:
    """Return the interpreter of an environment with ccxt and cryptofeed. Raises UnavailableError."""
    return _environment(REQUIREMENTS, "ccxt and cryptofeed")


def chdb_python() -> Path:
    """Return the interpreter of an environment with chDB. Raises UnavailableError."""
    return _environment(CHDB, "chDB")


def quixstreams_python() -> Path:
    """Return the interpreter of an environment with quixstreams and pyarrow. Raises UnavailableError."""
    return _environment(QUIXSTREAMS, "quixstreams")


def tardis_python() -> Path:
    """Return the interpreter of an environment with tardis-dev for Python. Raises UnavailableError."""
    return _environment(TARDIS, "tardis-dev for Python")


def kubernetes_python() -> Path:
    """Return the interpreter of an environment with kubernetes-validate. Raises UnavailableError."""
    return _environment(KUBERNETES, "kubernetes-validate")


def cryptofeed_3_python() -> Path:
    """Return the interpreter of an environment with cryptofeed 3, which needs Python 3.13. Raises UnavailableError."""
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"), Path("/opt/hostedtoolcache")]
    kept = [str(found) for root in roots for more in ("", "/*") for found in root.glob(f"*/3.13*{more}/bin/python3.13")]
    for each in ("python3.13", *kept):
        with contextlib.suppress(OSError):
            if not subprocess.run([each, "-c", ""], capture_output=True).returncode:
                return _environment(CRYPTOFEED_3, "cryptofeed 3", each, "3.13")
    raise UnavailableError("no Python 3.13 here, which cryptofeed 3 needs")


def _environment(lock: Path, what: str, made_with: str = sys.executable, version: str = OWN) -> Path:
    with _folder(f"python{version}", lock) as folder:
        environment = folder / "environment"
        found = environment / "bin" / "python"
        if not (folder / ".installed").exists() or not found.exists():  # not so where its interpreter is gone
            uv = [sys.executable, "-m", "uv"]
            _run([*uv, "venv", "--quiet", "--clear", "--python", made_with, str(environment)], what)
            _run([*uv, "pip", "install", "--quiet", "--python", str(found), "--require-hashes", "-r", str(lock)], what)
            (folder / ".installed").touch()
    return found


@contextmanager
def _folder(kind: str, lock: Path) -> Iterator[Path]:
    """Give the folder of what is locked so, to one process at a time."""
    name = f"{kind}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    folder = cache() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / ".lock").open("w")
    except OSError:  # a home that cannot be written to
        folder = Path(tempfile.gettempdir()) / f"liquidation-warehouse-{os.getuid()}" / name
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / ".lock").open("w")
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder


def cache() -> Path:
    """Return this project's folder in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "liquidation-warehouse"


def _run(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{what} cannot be installed here: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise UnavailableError(f"{what} cannot be installed here: {last}")
