"""A venue is one folder on each side: its name stands nowhere else in the code. Docstrings and comments are no code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.venues.known import RECORDS
from pipelines.venues import HEARD

ROOT = Path(__file__).parents[1]
NAMES = re.compile("|".join(f"(?<![A-Za-z]){name}|{name.capitalize()}|(?<![A-Z]){name.upper()}" for name in RECORDS))
"""As a word, or a part of a name; not in the middle of a longer word."""
AT_HOME = {
    "collectors/venues/known.py": "the list of them",
    "pipelines/venues/__init__.py": "the list of them",
}
WORDS = re.compile('okx_bkPx|"Hyperliquid"')
"""A kind of price that one venue alone has, and that is called so in every row; a coin that people call as its venue."""


def test_both_sides_know_the_same_venues() -> None:
    assert list(RECORDS) == list(HEARD)


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


NAME_TAKEN_APART = re.compile(
    r"-backfill-|-import-|0-9a-f\]\{4\}"
    r"|\b(starts_with|split_part|string_split|contains|left|substr\w*|regexp_\w+)\(\s*(\w+\.)?session\b"
    r"|\bsession\s+(NOT\s+)?(I?LIKE|GLOB|SIMILAR)\b"
    r"|\bsession(_name)?\.(r?split|r?partition|removeprefix|removesuffix|startswith|endswith|find)\(",
    re.IGNORECASE,
)
MAY_TAKE_IT_APART = {
    "collectors/session_names.py": "of records of version 1, and of spool files as old",
    "warehouse/tables/session_names.py": "of rows that were stored before they had a feed and a source",
}


def _taking_names_apart(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if NAME_TAKEN_APART.search(line)]


def test_a_sessions_name_is_taken_apart_only_where_older_records_and_rows_are_read() -> None:
    files = [ROOT / "liq.py"]
    for room in ("collectors", "pipelines", "warehouse", "sql"):
        files += [path for path in sorted((ROOT / room).rglob("*")) if path.suffix in (".py", ".sql")]
    found = {str(path.relative_to(ROOT)) for path in files if _taking_names_apart(path.read_text())}
    assert found == MAY_TAKE_IT_APART.keys()


@pytest.mark.parametrize(
    "text",
    [
        "session.startswith(f'{venue}-backfill-')",
        "WHERE NOT starts_with(session, venue || '-x-')",
        "split_part(s.session, '-', 2)",
        "feed = frame.session.split('-')[1]",
        "WHERE session NOT LIKE 'x%'",
        "regexp_replace(session, '-[0-9a-f]+$', '')",
    ],
)
def test_what_takes_a_sessions_name_apart_is_found(text: str) -> None:
    assert _taking_names_apart(f"one\n{text}\n") == [2]
