"""Text from outside on a terminal and in the log: on its own line, changing nothing but its own place."""

import logging
import re
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from collectors.logs import OneLine
from collectors.printable import UNPRINTABLE, printable


def test_what_moves_a_terminal_or_ends_a_line_is_written_out() -> None:
    assert printable("BTC\x1b[31m\r\n\x00\x9b\u202eUSDT") == "BTC\\x1b[31m\\r\\n\\x00\\x9b\\u202eUSDT"
    assert printable("\udcff\U000e0041\u2028") == "\\udcff\\U000e0041\\u2028"
    assert printable("币安人生USDT é") == "币安人生USDT é"
    assert printable("x" * 600) == "x" * 499 + "…"


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not UNPRINTABLE.search(shown)
    shown.encode()


LOG = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \S+ .*")


def test_an_entry_of_the_log_is_one_line_whatever_it_quotes() -> None:
    form = OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    forged = "x\n2026-01-01T00:00:00.000Z INFO collectors.service stopped\x1b[2J"
    try:
        raise ValueError(forged)
    except ValueError:
        record = logging.LogRecord("collectors.x", logging.ERROR, "f.py", 1, "died %s", (forged,), sys.exc_info())
    lines = form.format(record).splitlines()
    assert LOG.fullmatch(lines[0])
    assert len(lines) > 2
    assert all(line.startswith("    ") for line in lines[1:])
    assert "\x1b" not in form.format(record)


def test_the_log_of_a_command_is_written_so() -> None:
    code = (
        "import logging; from collectors.logs import log_to_stderr; log_to_stderr(logging.INFO);"
        "logging.getLogger('collectors.x').warning('dead letter: %s', 'A\\x1b[31m\\nB')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert LOG.fullmatch(done.stderr.removesuffix("\n"))
    assert done.stderr.endswith("WARNING collectors.x dead letter: A\\x1b[31m\\nB\n")
