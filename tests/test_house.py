"""A venue is one folder on each side: its name stands nowhere else in the code. Docstrings and comments are no code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from collectors.venues.known import RECORDS
from pipelines.venues import VENUES

ROOT = Path(__file__).parents[1]
NAMES = re.compile("|".join(RECORDS), re.IGNORECASE)
AT_HOME = {
    "collectors/venues/known.py": "the list of them",
    "pipelines/venues/__init__.py": "the list of them",
}
WORDS = re.compile("okx_bkPx")
"""A kind of price that one venue alone has, and that is called so in every row."""


def test_both_sides_know_the_same_venues() -> None:
    assert list(RECORDS) == list(VENUES)


def test_a_venue_is_named_in_its_folders_alone() -> None:
    found = {file: lines for file in _shared() if (lines := list(_named(ROOT / file)))}
    assert found == {}


def test_what_is_looked_for_is_found(tmp_path: Path) -> None:
    for text in ('VENUES = ("okx",)', "from x import BybitFeed", "def binance_dump(): ...", "f'{okx}'", "f'okx {x}'"):
        (tmp_path / "x.py").write_text(f'"""Of okx."""\n\n{text}  # of okx\n')
        assert list(_named(tmp_path / "x.py")) == [3], text
    (tmp_path / "x.py").write_text(
        '"""Of okx."""\n\nKIND = "okx_bkPx"  # of okx\n\n\ndef f() -> None:\n    """As okx."""\n'
    )
    assert list(_named(tmp_path / "x.py")) == []


def _shared() -> Iterator[str]:
    for room in ("collectors", "pipelines", "warehouse"):
        for path in sorted((ROOT / room).rglob("*.py")):
            file = str(path.relative_to(ROOT))
            is_home = any(f"/venues/{name}/" in file for name in RECORDS)
            if not is_home and file not in AT_HOME:
                yield file


def _named(path: Path) -> Iterator[int]:
    """Yield the lines of code in which a venue's name stands."""
    text = path.read_text()
    told = _docstrings(ast.parse(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_code = token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE) and token.start[0] not in told
        if is_code and NAMES.search(WORDS.sub("", token.string)):
            yield token.start[0]


def _docstrings(tree: ast.AST) -> set[int]:
    """Return the lines on which a string begins that is a statement of its own."""
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
