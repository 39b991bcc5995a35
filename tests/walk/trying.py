"""A command, tried as a person would: in a shell, in a folder; one that runs on, in a terminal until Ctrl-C."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ANSWERS_S, ENDS_S = 600.0, 600.0
CTRL_C = b"\x03"
SIZE = {"COLUMNS": "120", "LINES": "40"}


class Tried(NamedTuple):
    """What a command said, and its exit code; in a terminal `errors` is in `said`."""

    command: str
    code: int
    said: str
    errors: str


def home(folder: Path) -> dict[str, str]:
    """Make a folder one in which `liq` and `.venv/bin/liq` are this code; return the environment to work in."""
    program = folder / ".venv" / "bin" / "liq"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m liq "$@"\n')
    program.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith("LIQ_DATA")}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**own, **SIZE, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "xterm-256color"}


def answered(command: str, folder: Path, env: Mapping[str, str]) -> Tried:
    """Return what a command says that ends by itself."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=ANSWERS_S, check=False,
    )  # fmt: skip
    return Tried(command, done.returncode, done.stdout, done.stderr)


def until(command: str, folder: Path, env: Mapping[str, str], sign: str) -> Tried:
    """Return what a command says that runs until Ctrl-C, which is pressed once it has said `sign`."""
    near, far = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=env, stdin=far, stdout=far, stderr=far, start_new_session=True,
        preexec_fn=_own_terminal,
    )  # fmt: skip
    os.close(far)
    said = bytearray()
    try:
        is_there = _read(near, said, process, ANSWERS_S, sign.encode())
        if is_there:
            os.write(near, CTRL_C)
        _read(near, said, process, ENDS_S)
        code = process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        code = -9
    finally:
        os.close(near)
    return Tried(command, code, said.decode(errors="replace"), "")


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read(near: int, said: bytearray, process: "subprocess.Popen[bytes]", within_s: float, sign: bytes = b"") -> bool:
    """Read until the sign, where there is one, or the end of the process."""
    ends_at = time.monotonic() + within_s
    while time.monotonic() < ends_at:
        if select.select([near], [], [], 0.2)[0]:
            try:
                said += os.read(near, 65_536)
            except OSError:  # the other side is closed
                return bool(sign) and sign in said
            if sign and sign in said:
                return True
        elif process.poll() is not None:
            return False
    return False
