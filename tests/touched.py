"""`python -m tests.touched [REVISION]`: the files of tests that are near what changed since a revision (HEAD if not given).

Near: a test that changed, one that imports a module that changed, or one below a conftest that changed.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLOW = ("tests/chaos/test_chaos.py", "tests/day/", "tests/walk/", "tests/foreign/")
"""What takes longer than the whole of the others; `make test` runs it."""


def near(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the test files near `changed` files, in order."""
    files = [file for file in changed if file.endswith(".py") and (root / file).exists()]
    modules = {module_of(file) for file in files}
    folders = [Path(file).parent for file in files if Path(file).name == "conftest.py"]
    found = [
        file
        for file in (str(path.relative_to(root)) for path in sorted((root / "tests").rglob("test_*.py")))
        if file in files or any(map(Path(file).is_relative_to, folders)) or modules & set(_imported(root / file))
    ]
    return [file for file in found if not file.startswith(SLOW)]


def module_of(file: str) -> str:
    """Return the dotted name of a file's module."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def _changed(revision: str) -> list[str]:
    def told(*words: str) -> list[str]:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    return [*told("diff", "--name-only", revision), *told("ls-files", "--others", "--exclude-standard")]


if __name__ == "__main__":
    print("\n".join(near(_changed(sys.argv[1] if len(sys.argv) > 1 else "HEAD"))))
