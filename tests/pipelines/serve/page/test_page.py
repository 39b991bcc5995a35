"""The page without a browser: its paths, headers, files, tables, and the token."""

import asyncio
import gzip
import hashlib
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pipelines.serve.page.files import STATIC, files
from pipelines.serve.page.shell import PAGES
from pipelines.serve.resources import Resource, Resources
from pipelines.serve.service import Service
from pipelines.serve.settings import ServeSettings
from tests.pipelines.serve.conftest import Served, service
from warehouse.lake import Lake

FOUND = Resource("/v1/x/y", "y", "view", "X", "", "", (), {})
TOKEN = "a-secret-of-twenty-letters"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MOST_KB = 300


class Seen(HTMLParser):
    """What a browser would fetch or run of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value for name, value in attrs if name == "src" and value]
        self.addresses += [given["href"] or ""] if tag == "link" else []
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self._within = tag if tag == "style" or (tag == "script" and "src" not in given) else ""

    def handle_data(self, data: str) -> None:
        if self._within and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize(
    "path", [*(page.path for page in PAGES), "/coin/BTC", "/enter", "/table", "/table/quality/feed_states"]
)
def test_a_page_runs_and_fetches_only_what_the_service_has(get: httpx.Client, path: str) -> None:
    answer = get.get(path, headers=HTML, follow_redirects=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    seen = Seen(answer.text)
    assert seen.inline == []
    assert seen.addresses
    for address in seen.addresses:
        assert get.get(address).status_code == 200, address


def test_a_file_may_be_kept_for_ever_and_is_packed(get: httpx.Client) -> None:
    address = f"/static/{files().version}/css/base.css"
    answer = get.get(address)
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == (STATIC / "css/base.css").read_bytes()
    assert get.get(address, headers={"Accept-Encoding": "identity"}).headers.get("content-encoding") is None
    here = f"/static/{files().version}"
    for wrong in ("/static/0123456789abcdef/js/main.js", f"{here}/%2e%2e/files.py", f"{here}/nothing.js"):
        assert get.get(wrong).status_code == 404, wrong


def test_all_files_together_are_light() -> None:
    packed = sum(
        len(file.packed or file.plain) for name, file in files().found.items() if not name.startswith("vendor/LICENSE")
    )
    assert packed < MOST_KB * 1024
    for name, file in files().found.items():
        assert file.packed is None or gzip.decompress(file.packed) == file.plain, name


def test_every_module_that_is_imported_exists_and_names_no_host() -> None:
    for path in STATIC.rglob("*.js"):
        text = path.read_text()
        for found in re.findall(r'(?:from|import) "(\.[^"]+)"', text):
            assert (path.parent / found).resolve().is_file(), f"{path.name} imports {found}"
        assert "innerHTML" not in text
        assert "http://" not in text.replace("http://www.w3.org", ""), path
    assert all((STATIC / f"js/pages/{page.name}.js").is_file() for page in PAGES)


def test_the_chart_library_is_the_published_file() -> None:
    said = (STATIC / "vendor/README.md").read_text()
    (path,) = (STATIC / "vendor").glob("*.mjs")
    assert f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`" in said
    assert "Apache License" in (STATIC / "vendor/LICENSE").read_text()


def test_a_table_has_the_rows_that_sql_has_without_javascript(get: httpx.Client) -> None:
    text = get.get("/table/liquidations/totals_by_coin?hours=24&order=base").text
    rows = get.get("/v1/liquidations/totals_by_coin?hours=24&order=base").json()["data"]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr><td.*?</tr>", text)]
    names = re.findall(r"<th[^>]*>(.*?)</th>", text)
    assert [dict(zip(names, row, strict=True))["count"] for row in cells] == [f"{row['count']:,}" for row in rows]
    assert "<script type" not in text
    assert get.get("/table/liquidations/nothing").status_code == 404


def test_what_a_table_shows_is_never_markup(get: httpx.Client) -> None:
    answer = get.get("/table/liquidations/totals_by_coin", params={"completeness": "<script>alert(1)</script>"})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


async def test_of_many_who_come_at_once_one_looks_at_the_lake(market: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Lake] = []

    def looked(lake: Lake) -> Resources:
        looks.append(lake)
        time.sleep(0.05)  # long enough that the others come meanwhile
        return Resources([], [])

    monkeypatch.setattr("pipelines.serve.service.resources", lambda lake: looked(lake)._replace(made=[FOUND]))
    asked = Service(market, ServeSettings())
    await asyncio.gather(*(asked.resources() for _ in range(6)))
    await asked.close()
    assert len(looks) == 1


@pytest.fixture(scope="module")
def guarded(market: Path) -> Iterator[Served]:
    """The service with a token."""
    with service(market, LIQ_SERVE_TOKEN=TOKEN) as running:
        yield running


def test_a_browser_without_the_token_is_led_to_the_door_and_a_program_is_refused(guarded: Served) -> None:
    answer = guarded.client.get("/coin/BTC?range=7d", headers=HTML)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/coin/BTC?range=7d"]
    for path in ("/", "/v1/catalogue", "/page/coins", "/table"):
        assert guarded.client.get(path).status_code == 401, path
    assert guarded.client.get("/enter", headers=HTML).status_code == 200
    assert guarded.client.get(f"/static/{files().version}/css/base.css").status_code == 200


@pytest.mark.parametrize("way", ["url", "form"])
def test_the_token_becomes_a_cookie_that_opens_everything(guarded: Served, way: str) -> None:
    with httpx.Client(base_url=guarded.client.base_url, trust_env=False, timeout=60) as browser:
        if way == "url":
            answer = browser.get(f"/coin/BTC?range=7d&token={TOKEN}", headers=HTML)
        else:
            answer = browser.post("/enter", data={"token": TOKEN, "next": "/coin/BTC?range=7d"}, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/coin/BTC?range=7d")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert browser.get("/v1/catalogue").status_code == 200
        assert browser.get("/v1/catalogue", headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x"])
def test_a_wrong_token_opens_nothing(guarded: Served, given: str) -> None:
    for answer in (
        guarded.client.post("/enter", data={"token": given, "next": "/"}),
        guarded.client.get("/", params={"token": given}, headers=HTML),
        guarded.client.get("/v1/catalogue", headers={"Cookie": f"liq_page={given}"}),
    ):
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target", ["https://evil.example/x", "//evil.example/x", "/\\evil.example/x", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(guarded: Served, target: str) -> None:
    answer = guarded.client.post("/enter", data={"token": TOKEN, "next": target})
    where = answer.headers["location"]
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))
