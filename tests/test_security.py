"""What a venue sends is data: never part of a query, a path or a command, and encryption is never given up."""

import re
from pathlib import Path

import duckdb
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import collectors
import pipelines
import warehouse
from collectors.tls import ENCRYPTED
from warehouse.lake import quoted

SOURCES = [
    path for package in (collectors, pipelines, warehouse) for path in Path(package.__file__ or "").parent.rglob("*.py")
]
FORBIDDEN = {
    "a shell": r"shell\s*=\s*True|os\.system\(|os\.popen\(|create_subprocess_shell",
    "code out of data": r"\beval\(|(?<!\.)\bexec\(|pickle|marshal\.loads|yaml\.load\(|__import__\(",
    "a certificate that is not checked": r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified_context",
    "a client that may give up encryption": r"AsyncClient\((?![^)]*ENCRYPTED)[^)]*follow_redirects=True",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_source_has(what: str) -> None:
    assert len(SOURCES) > 100
    assert [path for path in SOURCES if re.search(FORBIDDEN[what], path.read_text())] == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_a_text_quoted_in_a_query_is_that_text(text: str) -> None:
    assert duckdb.execute(f"SELECT {quoted(text)}").fetchone() == (text,)


@pytest.mark.parametrize(
    ("leads", "followed"),
    [
        ("https://b.test/", True),
        ("/there", True),
        ("http://a.test/", False),
        ("ftp://a.test/", False),
        ("//b.test/x", True),
    ],
)
async def test_an_answer_that_leads_away_from_encryption_is_not_followed(leads: str, followed: bool) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200) if len(asked) > 1 else httpx.Response(302, headers={"location": leads})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), follow_redirects=True, event_hooks=ENCRYPTED
    ) as client:
        if followed:
            assert (await client.get("https://a.test/")).status_code == 200
        else:
            with pytest.raises(httpx.UnsupportedProtocol, match=r"a\.test leads from https to"):
                await client.get("https://a.test/")
    assert len(asked) == 1 + followed
