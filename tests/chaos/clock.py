"""Wall clocks that can be set wrong, one for each process: a small library before the C library's. Needs a C compiler."""

import shutil
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

SOURCE = Path(__file__).with_name("shift.c")


@lru_cache(maxsize=1)
def missing() -> str:
    """Return why clocks cannot be shifted here; empty where they can."""
    return "" if shutil.which("cc") else "no C compiler"


class Clock:
    """The wall clock of one process. `env` makes a child go by it; `shift` sets it wrong, also while the child runs."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{name}.clock"
        self.shift(0)
        self.env = {} if missing() else {"LD_PRELOAD": str(_library(folder)), "LIQ_CHAOS_CLOCK": str(self._file)}

    def shift(self, seconds: float) -> None:
        """Let the clock be so much ahead; negative: behind."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("<q", round(seconds * 1e9)))


def _library(folder: Path) -> Path:
    library = folder / "shift.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
    return library
