"""How soon the page of `liq serve` is drawn in a real Chromium, how soon another range is, and how smoothly its map moves.

A page is drawn when no panel waits and nothing is asked for any more, counted by the browser from the start of the navigation,
or from the click. Each look has a profile of its own, so nothing is in the browser's cache. Weight is what the network
carries, as the browser counts it.
"""

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOKS = {"overview": "/", "coin": "/coin/BTC?range=1d", "funding": "/funding", "quality": "/quality"}
RANGES, POINTED_AT = ("1h", "7d", "12h", "90d"), ("4h", "3d", "30d", "1y")
"""Asked for the first time each: clicked at once, as keys do, and by a hand that comes to the button before it presses."""
POINTED_MS = 200
TURNS = 5
LOAD_S, CHANGE_S, FRAMES_S, WEIGHT_KB = 1.0, 0.3, 50, 300
WAIT_MS = 60_000
DRAWN = """
window.drawn = (since) => new Promise((done) => {
    const look = () => document.querySelector('.panel') && !document.querySelector('.waiting')
        && !document.querySelector('[aria-busy=true]') && document.querySelector('.pill')?.textContent !== '…'
        ? done(performance.now() - since) : requestAnimationFrame(look);
    look();
});
"""
CHANGED = """async (name) => {
    const group = document.querySelector('[role=group][aria-label=Range]');
    const button = [...group.querySelectorAll('button')].find((each) => each.textContent.trim() === name);
    const since = performance.now();
    button.click();
    await new Promise((next) => requestAnimationFrame(next));
    return window.drawn(since);
}"""
WEIGHT = """() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .map((each) => [new URL(each.name).pathname, each.transferSize])"""
COUNTED = """() => {
    window.seen = [];
    const tick = (at) => { window.seen.push(at); window.asking = requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
}"""
MOVED_S = 3.0


def look(base: str) -> None:
    """Open the pages at `base`, print what it took; say so where there is no Chromium or no Playwright."""
    chromium = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("the page in a browser: not measured, there is no Chromium or no Playwright (`make browser`)")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        print(f"{'in a browser, s':24}{'first':>8}{'median':>8}{'slowest':>9}{'aim':>6}")
        for name, path in LOOKS.items():
            _told(name, [_opened(browser, base + path) for _ in range(TURNS)], LOAD_S)
        page = _page(browser)
        page.goto(f"{base}/coin/BTC?range=1d", wait_until="commit")
        page.evaluate("window.drawn(0)")
        _weight(page)
        _told("another range", [page.evaluate(CHANGED, name) / 1e3 for name in RANGES], CHANGE_S)
        _told("  pointed at before", [_pointed_at(page, name) for name in POINTED_AT], CHANGE_S)
        _told("  seen before", [page.evaluate(CHANGED, name) / 1e3 for name in (*RANGES, *POINTED_AT)], CHANGE_S)
        page.goto(f"{base}/coin/BTC?range=30d", wait_until="commit")
        page.evaluate("window.drawn(0)")
        _moved(page)
        browser.close()


def _page(browser: Any) -> Any:
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    page.set_default_timeout(WAIT_MS)
    page.add_init_script(DRAWN)
    return page


def _opened(browser: Any, address: str) -> float:
    """Return the seconds from the start of the navigation until everything is drawn."""
    page = _page(browser)
    page.goto(address, wait_until="commit")
    took: float = page.evaluate("window.drawn(0)")
    page.context.close()
    return took / 1e3


def _pointed_at(page: Any, name: str) -> float:
    page.get_by_role("group", name="Range").get_by_role("button", name=name, exact=True).hover()
    page.wait_for_timeout(POINTED_MS)
    took: float = page.evaluate(CHANGED, name)
    return took / 1e3


def _told(name: str, times: Sequence[float], aim: float) -> None:
    missed = " " if median(times) <= aim else "!"
    print(f"{name:24}{times[0]:>8.2f}{median(times):>8.2f}{max(times):>9.2f}{aim:>6}{missed}")


def _weight(page: Any) -> None:
    """Print what the network carried without data."""
    sizes = [size for path, size in page.evaluate(WEIGHT) if Path(path).parts[1:2] not in (("v1",), ("page",))]
    print(f"page without data, KB:   {sum(sizes) / 1024:>8.0f}{'':>17}{WEIGHT_KB:>6}")


def _moved(page: Any) -> None:
    """Move the chart of a month to and fro, and print how often it was drawn."""
    box = page.locator(".chart").bounding_box()
    page.evaluate(COUNTED)
    page.mouse.move(box["x"] + 700, box["y"] + 150)
    page.mouse.down()
    while page.evaluate("window.seen.at(-1) - window.seen[0]") < MOVED_S * 1e3:
        for step in (*range(40), *range(40, 0, -1)):
            page.mouse.move(box["x"] + 700 - step * 8, box["y"] + 150)
    page.mouse.up()
    seen = page.evaluate("() => { cancelAnimationFrame(window.asking); return window.seen; }")
    between = sorted(b - a for a, b in pairwise(seen))
    rate, slow = 1e3 * len(between) / (seen[-1] - seen[0]), between[int(len(between) * 0.99)]
    print(f"a month's map moved:     {rate:>8.0f} frames a second, 99 % of them within {slow:.0f} ms; aim {FRAMES_S}")
