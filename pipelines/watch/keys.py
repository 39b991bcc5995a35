"""The terminal's keys, one at a time, without Enter; everywhere else nothing is pressed."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

MOST = 64


@contextmanager
def listening(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` with each key while the block runs. Ctrl-C stays what it is. The terminal is put back at the end."""
    try:
        import termios
        import tty

        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)
    except (ImportError, OSError, ValueError, termios.error):  # no terminal, or not on this platform
        yield
        return
    loop = asyncio.get_running_loop()
    tty.setcbreak(fd, termios.TCSANOW)
    loop.add_reader(fd, _read, fd, pressed)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        with suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(fd, termios.TCSANOW, before)


def _read(fd: int, pressed: Callable[[str], None]) -> None:
    try:
        text = os.read(fd, MOST).decode(errors="ignore")
    except OSError:
        text = ""
    if not text:  # the terminal has gone; without this the loop would be told of it again and again
        asyncio.get_running_loop().remove_reader(fd)
        return
    if text.startswith("\x1b") and len(text) > 1:  # an arrow, or another key that is no letter
        text = {"\x1b[C": "c", "\x1b[D": "C", "\x1b[A": "V", "\x1b[B": "v"}.get(text, "")
    for key in text:
        pressed(key)
