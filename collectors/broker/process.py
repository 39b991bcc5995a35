"""The embedded broker's process: found or started, detached from the starter, and stopped."""

import base64
import fcntl
import itertools
import logging
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from collectors.broker import jars, java
from collectors.broker.settings import LOG_CONFIGURATION, BrokerSettings, properties
from collectors.embedded import Running, State, answering, is_alive, kafka_folder, marker, read_state, told
from collectors.errors import BrokerError
from collectors.ports import HOST, free_port, is_free

TRIES = 3  # a port that was free may be taken before Java has it
TAKEN = "Address already in use"
STARTED = "Kafka Server started"
POLL_S = 0.05
QUIET_S = 2.0
STOP_TIMEOUT_S = 30.0
LAST_LINES = 20

Stopped = Literal["stopped", "killed", "was not running"]

logger = logging.getLogger(__name__)


class _PortTakenError(BrokerError):
    """Another process took a port between the look whether it is free and Java's bind."""


def start(world: Path, settings: BrokerSettings | None = None) -> Running:
    """Return the world's broker, started now unless it runs already; it outlives this process.

    Blocks until the broker answers (from async code: `asyncio.to_thread(start, world)`). The first start fetches the
    jar files, chooses ports and formats the storage. Progress goes to stderr. Starters at the same time get one broker.
    Raises JavaNotFoundError, JarsMissingError, ConfigurationError, and BrokerError with the log's last lines.
    """
    settings = settings or BrokerSettings.load()
    folder = kafka_folder(world)
    with _lock(folder):
        state = read_state(folder)
        if state and is_alive(state.pid, folder):
            fresh = False  # it runs, or its starter died while it was starting
        else:
            state, fresh = _launch(folder, state, settings), True
        for again in reversed(range(TRIES)):
            try:
                _await_answer(state, folder, settings.kafka_start_timeout_s, fresh=fresh)
                break
            except _PortTakenError:
                if not again:
                    raise
                state, fresh = _launch(folder, state, settings), True
        return told(state, folder, started_here=fresh)


def stop(world: Path, timeout_s: float = STOP_TIMEOUT_S) -> Stopped:
    """Stop the world's broker with SIGTERM, after `timeout_s` with SIGKILL; say which. Blocks until it is gone."""
    folder = kafka_folder(world)
    if not folder.is_dir():
        return "was not running"
    with _lock(folder):
        state = read_state(folder)
        if state is None or not is_alive(state.pid, folder):
            return "was not running"
        outcome: Stopped = "stopped"
        os.kill(state.pid, signal.SIGTERM)
        if not _gone(state.pid, folder, timeout_s):
            outcome = "killed"
            with suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGKILL)
            if not _gone(state.pid, folder, timeout_s):
                raise BrokerError(f"The broker (process {state.pid}) does not end, even after SIGKILL.")
        _write_state(msgspec.structs.replace(state, pid=0, started_s=0.0), folder)
        return outcome


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the world's broker for this process alone; the system lets go of it when the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "broker.lock").open("w")
    except OSError as error:
        raise BrokerError(f"The broker's folder {folder} cannot be written: {error}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _launch(folder: Path, before: State | None, settings: BrokerSettings) -> State:
    """Start the process and write down that it runs; it does not answer yet."""
    program = java.find()
    classpath = os.pathsep.join(map(str, jars.classpath(settings.kafka_jars)))
    command = [str(program), "-XX:+IgnoreUnrecognizedVMOptions", *settings.java_options(), "-Djava.awt.headless=true"]
    command += ["-XX:ErrorFile=logs/crash.log", f"-Dlog4j2.configurationFile={LOG_CONFIGURATION.as_uri()}"]
    command += [marker(folder), "-cp", classpath]
    (folder / "logs").mkdir(exist_ok=True)
    port, controller_port = _ports(before)
    state = State(port, controller_port, _cluster_id(folder))
    _write_state(state, folder)
    told_kafka = properties(state, settings.kafka_listen)
    (folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in told_kafka.items()))
    if not (folder / "data" / "meta.properties").exists():
        _format(command, state, folder)
    state.started_s = time.time()
    state.pid = _spawn([*command, "kafka.Kafka", "server.properties"], folder)
    _write_state(state, folder)
    return state


def _format(command: list[str], state: State, folder: Path) -> None:
    arguments = ["kafka.tools.StorageTool", "format", "-t", state.cluster_id, "-c", "server.properties"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
        raise BrokerError(f"Kafka's storage in {folder / 'data'} cannot be formatted:\n{last}")


def _spawn(command: list[str], folder: Path) -> int:
    """Start `command` in a session of its own, as nobody's child (so it leaves no zombie), and return its process."""
    script = '"$@" >logs/console.log 2>&1 </dev/null & echo $!'
    shell = ["/bin/sh", "-c", script, "sh", *command]
    return int(subprocess.run(shell, cwd=folder, stdout=subprocess.PIPE, start_new_session=True, check=True).stdout)


def _await_answer(state: State, folder: Path, timeout_s: float, *, fresh: bool) -> None:
    """Wait until the broker answers, and one just started has opened all of its ports: one may answer before another fails."""
    begun = time.monotonic()
    announce = fresh
    while answering(state.port) != state.cluster_id or (fresh and not _has_started(state, folder)):
        waited = time.monotonic() - begun
        if not is_alive(state.pid, folder) and waited > POLL_S:
            kind = _PortTakenError if any(TAKEN in line for line in _lines(state, folder)) else BrokerError
            raise kind(f"The embedded broker ended while starting. {_last_lines(state, folder)}")
        if waited > timeout_s:
            raise BrokerError(
                f"The embedded broker (process {state.pid}) does not answer at {HOST}:{state.port} after "
                f"{timeout_s:.0f} s; `liq broker stop` ends it. {_last_lines(state, folder)}"
            )
        if announce and waited > QUIET_S:
            announce = False
            Console(stderr=True).print("Starting the embedded Kafka broker ...", highlight=False)
        time.sleep(POLL_S)


def _has_started(state: State, folder: Path) -> bool:
    return any(STARTED in line for line in _lines(state, folder))


def _last_lines(state: State, folder: Path) -> str:
    last = _lines(state, folder)[-LAST_LINES:]
    return f"The last lines of its logs in {folder / 'logs'}:\n" + "\n".join(last)


def _lines(state: State, folder: Path) -> list[str]:
    """Return what this start wrote; a line of broker.log begins with its time, but in a stack trace."""
    began = datetime.fromtimestamp(state.started_s, UTC).isoformat(timespec="milliseconds")[:23]
    console, log = (folder / "logs" / name for name in ("console.log", "broker.log"))
    lines = console.read_text(errors="replace").splitlines() if console.exists() else []
    if log.exists():
        whole = log.read_text(errors="replace").splitlines()
        lines += itertools.dropwhile(lambda line: not (line[:1].isdigit() and line >= began), whole)
    return lines


def _gone(pid: int, folder: Path, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_alive(pid, folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _ports(before: State | None) -> tuple[int, int]:
    """Return the ports used before if they are free, else two that are."""
    if before and is_free(before.port) and is_free(before.controller_port):
        return before.port, before.controller_port
    port = free_port(2)
    if before:
        logger.warning("port %d or %d is taken; Kafka moves to port %d", before.port, before.controller_port, port)
    return port, port + 1


def _cluster_id(folder: Path) -> str:
    """Return the id the storage was formatted with, or a new one: a UUID in URL-safe base64, as Kafka writes it."""
    stored = folder / "data" / "meta.properties"
    if stored.exists():
        return dict(line.split("=", 1) for line in stored.read_text().splitlines() if "=" in line)["cluster.id"]
    while (name := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


def _write_state(state: State, folder: Path) -> None:
    new = folder / "broker.json.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    os.replace(new, folder / "broker.json")
