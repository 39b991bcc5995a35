"""A real PostgreSQL and a real S3 server (S3Proxy over a folder) on loopback, for as long as a `with` lasts."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collectors.broker.jars import cached, locked
from collectors.broker.java import find
from collectors.errors import CollectorError
from collectors.ports import free_port

HERE = Path(__file__).parent
PASSWORD = "not-to-be-shown"
KEY, SECRET = "liq-key", "liq-secret"
START_S = 60
QUICK = "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"
"""It starts in half the time, and a test sends it few requests."""


class UnavailableError(Exception):
    """A server cannot be had on this machine; says why."""


class Postgres:
    """A running PostgreSQL; `database` makes an empty one and returns its address."""

    def __init__(self, programs: Path, port: int) -> None:
        self._programs, self.port = programs, port
        self._password = PASSWORD

    def database(self, name: str, template: str = "template1") -> str:
        """Make a database, a copy of `template`, and return its address."""
        self._run("createdb", f"--template={template}", name)
        return self.address(name)

    def address(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=liq password='{PASSWORD}' dbname={name}"

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._run("dropdb", "--force", name)

    def change_password(self, password: str) -> None:
        literal = password.replace("'", "''")
        self._run("psql", "--quiet", f"--command=ALTER USER liq PASSWORD '{literal}'", "postgres")
        self._password = password

    def _run(self, program: str, *words: str) -> None:
        command = [self._programs / program, "--host=127.0.0.1", f"--port={self.port}", "--username=liq", *words]
        subprocess.run(command, env={**os.environ, "PGPASSWORD": self._password}, check=True)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run the PostgreSQL that is installed. Raises UnavailableError."""
    programs = _programs()
    user = _user()
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        made = [programs / "initdb", "-D", folder / "data", "-A", "scram-sha-256", "-U", "liq"]
        made += [f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run(made, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command = [programs / "postgres", "-D", folder / "data"]
        command += [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        process = _started(command, folder, lambda: _ready(programs, port), user)
        try:
            yield Postgres(programs, port)
        finally:
            process.send_signal(signal.SIGINT)  # SIGTERM: only after its clients have gone
            process.wait(30)


class S3:
    """An S3 server over a folder, with a bucket `lake`. It comes back on the same port with what it has stored."""

    def __init__(self, program: Path, jars: Iterable[Path], folder: Path) -> None:
        self._port, self._folder = free_port(), folder
        (folder / "files" / "lake").mkdir(parents=True)
        properties = {
            "s3proxy.endpoint": f"http://127.0.0.1:{self._port}", "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": KEY, "s3proxy.credential": SECRET,
            "jclouds.provider": "filesystem", "jclouds.filesystem.basedir": folder / "files",
        }  # fmt: skip
        (folder / "properties").write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        classes = ":".join(map(str, jars))
        self._command = [program, "-Xmx256m", *QUICK, "-cp", classes, "org.gaul.s3proxy.Main", "--properties"]
        self._command.append(folder / "properties")
        self.start()

    @property
    def settings(self) -> dict[str, str]:
        """The settings that lead to it; LIQ_FILES is to be below s3://lake/."""
        return {
            "LIQ_S3_ENDPOINT": f"127.0.0.1:{self._port}", "LIQ_S3_KEY_ID": KEY, "LIQ_S3_SECRET": SECRET,
            "LIQ_S3_URL_STYLE": "path", "LIQ_S3_TLS": "false", "LIQ_S3_REGION": "eu-central-1",
        }  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = _started(self._command, self._folder, lambda: _answers(self._port))

    def copy(self, prefix: str, to: str) -> None:
        """Copy all that the bucket has below a prefix."""
        bucket = self._folder / "files" / "lake"
        if (bucket / prefix).exists():
            shutil.copytree(bucket / prefix, bucket / to)

    def remove(self, key: str) -> None:
        """Delete an object of the bucket."""
        (self._folder / "files" / "lake" / key).unlink()

    def kill(self) -> None:
        """Kill it as the kernel does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def s3() -> Iterator[S3]:
    """Run an S3 server for the block. Raises UnavailableError."""
    try:
        jars = cached(locked(HERE / "s3proxy.lock"), "S3Proxy")
        program = find()
    except CollectorError as error:
        raise UnavailableError(f"no S3Proxy here: {error}") from error
    with tempfile.TemporaryDirectory() as name:
        server = S3(program, jars, Path(name))
        try:
            yield server
        finally:
            server.kill()


def _programs() -> Path:
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found and not installed:
        raise UnavailableError("no PostgreSQL server is installed here (its initdb is not found)")
    return Path(found).resolve().parent if found else installed[-1].parent


def _user() -> str | None:
    """Return whom PostgreSQL runs as, as it refuses to be root; None: whoever runs the tests."""
    return "nobody" if os.getuid() == 0 else None


def _started(
    command: Sequence[object], folder: Path, ready: Callable[[], bool], user: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a program and wait until it is ready."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(list(map(str, command)), user=user, cwd=folder, stdout=log, stderr=log)
    deadline = time.monotonic() + START_S
    try:
        while not ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, f"{command[0]} does not answer"
            time.sleep(0.1)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def _ready(programs: Path, port: int) -> bool:
    asked = [programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
    return subprocess.run(asked, check=False).returncode == 0


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
