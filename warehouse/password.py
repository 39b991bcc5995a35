"""The password in a PostgreSQL address, taken out of it: DuckDB's errors quote the address whole.

Forms as libpq reads them: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

import re
from urllib.parse import unquote

_URL = re.compile(r"^postgres(?:ql)?://")
_IN_URL = (
    re.compile(r"(?<=://)(?P<before>[^/?#@:]*):(?P<password>[^/?#]*?)(?=@)"),
    re.compile(r"(?P<before>[?&])password=(?P<password>[^&#]*)(?:&|$)"),
)
_IN_WORDS = re.compile(r"(?:^|(?<=\s))(?P<before>)password\s*=\s*(?P<password>'(?:\\.|[^'\\])*'|(?:\\.|[^\s\\])*)")


def apart(address: str) -> tuple[str, str]:
    """Return `address` without its password, and the password; empty where there is none."""
    is_url = bool(_URL.match(address))
    password = ""
    for form in _IN_URL if is_url else (_IN_WORDS,):
        if found := form.search(address):
            given = found["password"]
            password = unquote(given) if is_url else re.sub(r"\\(.)", r"\1", given.removeprefix("'").removesuffix("'"))
            address = address[: found.start()] + found["before"] + address[found.end() :]
    return address, password
