"""Wall clocks that can be set wrong and disks that can be slow, for each process its own: a small library before the C
library's. Needs a C compiler."""

import shutil
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

SOURCE = Path(__file__).with_name("shift.c")


@lru_cache(maxsize=1)
def missing() -> str:
    """Return why neither can be done here; empty where they can."""
    return "" if shutil.which("cc") else "no C compiler"


class Clock:
    """The wall clock and the disk of one process. `env` makes a child go by them; both can be changed while the child runs."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{name}.clock"
        self._file.write_bytes(bytes(16))
        self.env = {} if missing() else {"LD_PRELOAD": str(_library(folder)), "LIQ_CHAOS_CLOCK": str(self._file)}

    def shift(self, seconds: float) -> None:
        """Let the clock be so much ahead; negative: behind."""
        self._write(0, seconds)

    def slow(self, seconds: float) -> None:
        """Let each write and each sync of a file take so much longer."""
        self._write(8, seconds)

    def heal(self) -> None:
        """Let both be right."""
        self.shift(0)
        self.slow(0)

    def _write(self, at: int, seconds: float) -> None:
        with self._file.open("r+b") as file:
            file.seek(at)
            file.write(struct.pack("<q", round(seconds * 1e9)))


def _library(folder: Path) -> Path:
    library = folder / "shift.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
    return library
