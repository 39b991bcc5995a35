"""Where a world's embedded broker can be reached; `collectors.broker` starts and stops it.

<world>/kafka/broker.json keeps the ports and, while the broker runs, its process. A broker counts as running only when
that process is this world's broker and a Kafka with this world's cluster id answers at the port.
"""

import contextlib
import io
import os
import socket
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiokafka.protocol.metadata import MetadataResponse_v2

from collectors.ports import HOST

ANSWER_TIMEOUT_S = 5.0


class State(msgspec.Struct):
    """The content of broker.json; `pid` 0 when no broker was left running, `started_s` UTC seconds since 1970."""

    port: int
    controller_port: int
    cluster_id: str
    pid: int = 0
    started_s: float = 0.0


class Running(msgspec.Struct, frozen=True):
    """A broker that answers. `folder`: <world>/kafka; `started_here`: this call started it, rather than found it."""

    bootstrap: str
    pid: int
    cluster_id: str
    folder: Path
    started: datetime
    started_here: bool = False


def kafka_folder(world: Path) -> Path:
    """Return the absolute folder of the world's broker."""
    return world.resolve() / "kafka"


def running(world: Path) -> Running | None:
    """Return the world's broker if it runs and answers now, else None. Never starts one; takes milliseconds."""
    folder = kafka_folder(world)
    state = read_state(folder)
    if state is None or not is_alive(state.pid, folder) or answering(state.port) != state.cluster_id:
        return None
    return told(state, folder)


def told(state: State, folder: Path, *, started_here: bool = False) -> Running:
    """Return what `state` says of a broker known to answer."""
    started = datetime.fromtimestamp(state.started_s, UTC)
    return Running(f"{HOST}:{state.port}", state.pid, state.cluster_id, folder, started, started_here)


def read_state(folder: Path) -> State | None:
    """Return broker.json's content, None where there is none or it is not readable as such."""
    try:
        return msgspec.json.decode((folder / "broker.json").read_bytes(), type=State)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def marker(folder: Path) -> str:
    """Return the argument by which a broker's process is known to be that of `folder`."""
    return f"-Dliq.kafka={folder}"


def is_alive(pid: int, folder: Path) -> bool:
    """Tell whether `pid` is the broker of `folder`: not gone, not a zombie, not a reused number."""
    return pid > 0 and marker(folder) in _arguments(pid)


def answering(port: int, timeout_s: float = ANSWER_TIMEOUT_S) -> str | None:
    """Return the id of the cluster whose broker answers a metadata request on loopback `port`, None if none is ready.

    A broker that listens but has not yet joined its cluster is not ready.
    """
    request = struct.pack(">hhih3si", 3, 2, 0, 3, b"liq", 0)  # Metadata v2, client id liq, no topics
    with contextlib.suppress(OSError, struct.error, ValueError):
        with socket.create_connection((HOST, port), timeout_s) as connection, connection.makefile("rb") as answer:
            connection.sendall(struct.pack(">i", len(request)) + request)
            (length,) = struct.unpack(">i", answer.read(4))
            metadata = MetadataResponse_v2.decode(io.BytesIO(answer.read(length)[4:]))
        return str(metadata.cluster_id) if metadata.brokers else None
    return None


def _arguments(pid: int) -> list[str]:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
    except OSError:
        if Path("/proc/self").exists():
            return []
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()  # macOS; a folder with blanks is not found there
