"""A small disk for Kafka's data, that can be full: a tmpfs, where this process may mount one."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

SIZE_MIB = 1024


class Disk:
    """Mounted on `folder`. `missing`: why it is not, then nothing can be filled; `keep`: leave at the end what was on it."""

    keep = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing = "" if os.geteuid() == 0 else "only root mounts a disk to fill"
        if not self.missing:
            folder.mkdir(parents=True, exist_ok=True)
            command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.missing = done.stderr.strip()

    def fill(self) -> None:
        """Take every byte that is left."""
        with (self.folder / "ballast").open("ab") as file, suppress(OSError):
            while True:
                os.write(file.fileno(), b"\0" * (1 << 20))

    def free(self) -> None:
        """Give them back."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def release(self) -> None:
        """Unmount it; what was on it is gone, unless it is to be kept."""
        if self.missing:
            return
        kept = self.folder.with_name(f"{self.folder.name}-kept")
        if self.keep:
            shutil.copytree(self.folder, kept)
        subprocess.run(["umount", "-l", str(self.folder)], check=False)
        if self.keep:
            shutil.copytree(kept, self.folder, dirs_exist_ok=True)
            shutil.rmtree(kept)
