"""Text from outside, as it may be shown on a terminal or written to a log."""

import re

UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, what turns or hides text, ends of lines, halves of characters."""
LONGEST = 500


def printable(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line of at most `longest` characters, with what is not printable written as \\x1b, \\n, \\u202e."""
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return text if text.isascii() and text.isprintable() else UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
