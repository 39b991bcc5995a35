import io
import subprocess
import sys

from rich.console import Console

from pipelines.up.board import Part
from pipelines.up.usage import Usage

CHILD = "held = bytearray(60 << 20); print('there', flush=True); input()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_a_part_takes_what_its_processes_take_and_keeps_it_when_it_has_ended() -> None:
    parts = [Part("down", None), Part("gone", 2**22)]
    usage = Usage(lambda: parts)
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        parts.append(Part("works", process.pid))
        usage.look()
        process.communicate(b"\n")
    usage.look()
    [(name, memory, seconds)] = usage.taken()
    assert name == "works"
    assert memory > 60
    assert seconds > 0
    out = Console(file=io.StringIO(), width=100)
    usage.show(out)
    assert "works" in out.file.getvalue()  # type: ignore[attr-defined]
