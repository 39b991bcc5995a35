"""The page in a real Chromium: figures are those of SQL; it works by keyboard, on a phone, and when things break."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipelines.serve.page.shell import PAGES
from tests.pipelines.serve.conftest import Served, service
from tests.pipelines.serve.page.made import silent, stored_now
from warehouse import lake, schema
from warehouse.tables import TABLES
from warehouse.writer import append

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
AXE = Path(__file__).parents[4] / ".browser" / "package" / "axe.min.js"
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: `make install`")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: `make browser` installs it")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATHS = [page.path for page in PAGES if page.path != "/coin"] + ["/coin/BTC"]
SETTLED = """() => document.querySelector('.panel') && !document.querySelector('.waiting')
    && !document.querySelector('[aria-busy=true]') && document.querySelector('.pill')?.textContent !== '…'"""
WAIT_MS = 60_000
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for all tests of this file: while it runs, so does its event loop, and no other test could have its own."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """One tab, and what went wrong in it."""

    def __init__(self, browser: Any, base: str, **more: Any) -> None:
        self.base = base
        self.page = browser.new_page(**{"viewport": {"width": 1366, "height": 900}, **more})
        self.wrong: list[str] = []
        self.page.on(
            "console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def open(self, path: str) -> Any:
        """Open a page and wait until everything on it is drawn."""
        self.page.goto(f"{self.base}{path}", wait_until="commit")
        return self.settled()

    def settled(self) -> Any:
        """Wait until nothing is asked for any more."""
        self.page.wait_for_function(SETTLED, timeout=WAIT_MS)
        return self.page


@pytest.fixture
def tab(chromium: Any, shown: Served) -> Iterator[Tab]:
    """A tab of the served market."""
    opened = Tab(chromium, str(shown.client.base_url))
    yield opened
    opened.page.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_opens_without_an_error_on_a_phone_and_to_a_screen_reader(tab: Tab, path: str) -> None:
    page = tab.open(path)
    assert page.locator(".problem").count() == 0, page.locator(".problem").first.text_content()
    assert page.locator("#banner").count() == 1, "what is wrong is said on every page"
    if AXE.is_file():
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        bad = [
            (each["id"], each["nodes"][0]["html"][:200])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert bad == []
    assert _missed_by_keyboard(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert tab.wrong == []


def test_the_totals_are_those_of_sql_and_say_how_whole_they_are(tab: Tab, get: httpx.Client) -> None:
    page = tab.open("/")
    rows = {row["hours"]: row for row in get.get("/v1/liquidations/totals_overall").json()["data"]}
    for hours in (4, 12, 24):
        panel = page.locator(f"[data-part=total-{hours}]")
        told = panel.locator(".big .fig").get_attribute("data-full")
        assert f"${rows[hours]['usd']:,.0f} in {hours} h, {rows[hours]['count']:,} liquidations" == told
        assert panel.locator(".least").count() == int(rows[hours]["lower_bound"] is not False)
        assert f"heard {rows[hours]['coverage_share'] * 100:.1f} %" in panel.locator(".told").text_content()
    panel.locator(".big .fig").hover()
    assert "A lower bound: more may have been liquidated." in page.locator(".tip").text_content()
    coins = get.get("/v1/liquidations/totals_by_coin?hours=24&order=-usd").json()["data"]
    assert page.locator("[data-part=coins] li a").all_text_contents() == [row["base"] for row in coins]
    assert "Totals are lower bounds" in page.locator("#banner").text_content()


def test_a_click_on_hours_and_the_back_button_are_in_the_url(tab: Tab, get: httpx.Client) -> None:
    page = tab.open("/")
    page.locator("[data-part=coins]").get_by_role("button", name="4 h", exact=True).click()
    tab.settled()
    assert page.url.endswith("?hours=4")
    best = get.get("/v1/liquidations/totals_by_coin?hours=4&order=-usd&limit=1").json()["data"][0]
    assert f"${best['usd']:,.0f}" in page.locator("[data-part=coins] .fig").first.get_attribute("data-full")
    page.locator("[data-part=coins] li a").first.click()
    page.wait_for_url(f"**/coin/{best['base']}*")
    page.go_back()
    tab.settled()
    assert page.url.endswith("?hours=4")


def test_a_coin_shows_its_prices_its_map_and_its_panes_in_every_range(tab: Tab, get: httpx.Client) -> None:
    page = tab.open("/coin/BTC")
    for name in ("1h", "30d"):
        page.get_by_role("group", name="Range").get_by_role("button", name=name, exact=True).click()
        tab.settled()
        assert f"range={name}" in page.url
    assert page.locator(".ramps .ramp").count() == 2
    last = get.get("/page/candles?coin=BTC&range=30d").json()["data"]["bars"][-1]
    assert f"C {last[4]:,.1f}" in page.locator(".readout").text_content()
    pain = get.get("/v1/liquidations/max_pain?base=BTC&range_pct=10").json()["data"][0]
    assert f"{pain['long_price']:,.1f}" in page.locator("[data-part=pain]").text_content()
    assert "Never scored" in page.locator("[data-part=score]").text_content()
    chooser = page.get_by_role("combobox", name="Coin")
    chooser.fill("eth")
    chooser.press("Enter")
    page.wait_for_url("**/coin/ETH*")
    tab.settled()
    assert page.locator("h1").text_content() == "ETH"
    assert tab.wrong == []


def test_the_picture_of_a_month_is_drawn_while_it_is_moved(tab: Tab) -> None:
    page = tab.open("/coin/BTC?range=30d")
    box = page.locator(".chart").bounding_box()
    page.evaluate("""() => {
        window.frames_seen = [];
        const tick = (at) => { window.frames_seen.push(at); window.asking = requestAnimationFrame(tick); };
        requestAnimationFrame(tick);
    }""")
    page.mouse.move(box["x"] + 700, box["y"] + 150)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + 700 - step * 8, box["y"] + 150)
    page.mouse.up()
    seen = page.evaluate("() => { cancelAnimationFrame(window.asking); return window.frames_seen; }")
    print(f"frames a second while moved: {(len(seen) - 1) / (seen[-1] - seen[0]) * 1000:.0f}")
    assert len(seen) > 10


def _missed_by_keyboard(page: Any) -> list[str]:
    """Return what can be pressed or filled in and Tab does not come to; what a panel draws anew meanwhile does not count."""
    wanted = page.evaluate("""() => [...document.querySelectorAll(
            'a[href], button:not([disabled]), input, select, textarea, summary, [tabindex="0"]')]
        .filter((each) => each.checkVisibility()).map((each, number) => (each.dataset.number = number)).length""")
    page.evaluate("""() => {
        window.reached = new Set();
        document.addEventListener('focusin', (event) => window.reached.add(event.target.dataset.number));
    }""")
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
    missed: list[str] = page.evaluate("""() => [...document.querySelectorAll('[data-number]')]
        .filter((each) => each.checkVisibility() && !window.reached.has(each.dataset.number))
        .map((each) => each.outerHTML.slice(0, 120))""")
    return missed


def test_a_slash_leads_to_the_coins(tab: Tab) -> None:
    page = tab.open("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Coin"


def test_the_look_is_chosen_and_kept(tab: Tab) -> None:
    page = tab.open("/")
    page.locator(".menu summary").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Theme").select_option("light")
    page.get_by_label("Colours of longs and shorts").select_option("blind")
    page.reload()
    assert page.evaluate("[document.documentElement.dataset.theme, document.documentElement.dataset.palette]") == [
        "light",
        "blind",
    ]
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark


def test_sql_is_run_from_the_url_and_a_mistake_is_said(tab: Tab, get: httpx.Client) -> None:
    page = tab.open("/sql?query=SELECT+venue,+usd+FROM+liquidation_totals_by_venue+WHERE+hours=24+ORDER+BY+venue")
    page.wait_for_selector("table caption:has-text('Result')", state="attached")
    rows = get.get("/v1/liquidations/totals_by_venue?hours=24&order=venue").json()["data"]
    assert page.locator(".console tbody tr td:first-child").all_text_contents() == [row["venue"] for row in rows]
    page.get_by_role("textbox", name="Query").fill("SELECT nothing FROM nowhere")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("pre.problem")
    assert "nowhere" in page.locator("pre.problem").text_content()


def test_a_position_is_answered_as_the_command_answers(tab: Tab, get: httpx.Client) -> None:
    page = tab.open(
        "/position?side=long&venue=bybit&contract=BTC/USDT:USDT&entry=64000&size=1&leverage=10&add_margin=1000"
    )
    page.wait_for_selector("[data-part=answer] .big")
    found = get.get(
        "/page/position?side=long&venue=bybit&contract=BTC/USDT:USDT&entry=64000&size=1&leverage=10&add_margin=1000"
    ).json()["data"]
    assert f"{found['liquidation_price']:,.1f}" in page.locator("[data-part=answer] .big").text_content()
    assert found["liquidation_price"] == pytest.approx(64_000 * (1 - 0.1) / (1 - 0.005), rel=1e-6)
    page.get_by_label("Leverage").fill("500")
    page.get_by_role("button", name="Check").click()
    page.wait_for_selector("[data-part=answer] .problem")
    assert "leverage" in page.locator("[data-part=answer] .problem").text_content()


def test_a_cascade_is_taken_apart_second_by_second(tab: Tab, get: httpx.Client) -> None:
    page = tab.open("/cascades")
    largest = get.get("/v1/cascades/recent?order=-usd&limit=1").json()["data"][0]
    assert f"${largest['usd']:,.0f}" in page.locator("[data-part=anatomy]").text_content()
    assert page.locator(".anatomy circle").count() >= largest["count"] * 0.9
    page.locator("[data-part=list] tbody a").first.click()
    tab.settled()
    assert "id=" in page.url


def test_a_clock_that_is_an_hour_off_is_said(chromium: Any, shown: Served) -> None:
    tab = Tab(chromium, str(shown.client.base_url))
    tab.page.add_init_script("const now = Date.now; Date.now = () => now() + 3600e3;")
    page = tab.open("/quality")
    page.wait_for_selector("#banner :text('ahead of')")
    assert "This device's clock is 1 h 0 min ahead of the service's" in page.locator("#banner").text_content()
    page.close()


def test_the_checks_and_their_results_are_shown(chromium: Any, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    kinds = (("a", "failure", 0), ("b", "warning", 2), ("c", "failure", 3))
    rows = [
        {"ts": now, "name": name, "table": "liquidations", "severity": severity, "meaning": "a rule", "since": now,
         "until": now, "offenders": number, "first_offenders": None, "seconds": 0.1}
        for name, severity, number in kinds
    ]  # fmt: skip
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"audit_results": pl.DataFrame(rows, schema=TABLES["audit_results"].schema)})
    with service(tmp_path) as served:
        tab = Tab(chromium, str(served.client.base_url))
        page = tab.open("/quality")
        marks = {
            each.text_content(): each.get_attribute("class") for each in page.locator("[data-part=audit] .pill").all()
        }
        assert marks == {"ok": "pill good", "warning": "pill warn", "failure": "pill bad"}
        page.close()


def test_the_banner_says_that_nothing_is_stored_that_a_feed_is_silent_and_that_a_clock_is_wrong(
    chromium: Any, tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    schema.create_or_migrate(tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"feed_coverage": silent(now, 60)})
    stored_now(tmp_path, now - timedelta(minutes=10))  # so it looks once Kafka, or ingest, has stopped
    with service(tmp_path) as served:
        tab = Tab(chromium, str(served.client.base_url))
        for path in ("/quality", "/sql"):
            tab.page.goto(f"{tab.base}{path}")
            for said in ("Nothing was stored for 10 min", "1 of 2 liquidation feeds not heard now: okx liquidation"):
                tab.page.wait_for_selector(f"#banner :text('{said}')", timeout=WAIT_MS)
        stored_now(tmp_path, now + timedelta(hours=1))  # by the clock of the service, which then is behind
        tab.page.goto(f"{tab.base}/")
        tab.page.wait_for_selector('#banner :text("after the service\'s clock")', timeout=WAIT_MS)
        tab.page.close()


def test_an_empty_warehouse_says_so(chromium: Any, tmp_path: Path) -> None:
    schema.create_or_migrate(tmp_path)
    with service(tmp_path) as served:
        tab = Tab(chromium, str(served.client.base_url))
        for path in ("/", "/coin", "/sql"):
            tab.page.goto(f"{tab.base}{path}")
            tab.page.wait_for_selector("#banner :text('Nothing is stored yet')", timeout=WAIT_MS)
            assert tab.page.locator(".problem").count() == 0
        assert tab.wrong == []
        tab.page.close()


def test_the_token_is_given_once_and_lasts_while_the_service_goes_away_and_comes_back(
    chromium: Any, market: Path
) -> None:
    token = {"LIQ_SERVE_TOKEN": "a-secret-of-twenty-letters"}
    with service(market, **token) as served:
        tab = Tab(chromium, str(served.client.base_url))
        page = tab.page
        page.goto(f"{tab.base}/?hours=4")
        page.get_by_label("Token").fill(token["LIQ_SERVE_TOKEN"])
        page.get_by_role("button", name="Enter").click()
        page.wait_for_url("**/?hours=4")
        tab.settled()
        assert page.evaluate("document.cookie") == "", "no script reads it"
        was = page.locator("[data-part=total-24] .big").text_content()
    page.wait_for_selector("#banner .bad :text('Away')", timeout=WAIT_MS)
    assert page.locator("[data-part=total-24] .big").text_content() == was
    with service(market, LIQ_SERVE_PORT=str(served.client.base_url.port), **token):
        page.wait_for_function("() => !document.querySelector('#banner').textContent.includes('Away')", timeout=WAIT_MS)
    page.close()


def test_nothing_is_asked_of_another_host(tab: Tab) -> None:
    hosts = set()
    tab.page.on("request", lambda request: hosts.add(httpx.URL(request.url).netloc))
    tab.open("/coin/BTC")
    began = time.monotonic()
    tab.open("/")
    print(f"first load of the overview: {time.monotonic() - began:.2f} s")
    assert hosts == {httpx.URL(tab.base).netloc}
