"""Pictures of the page: `python -m tests.pipelines.serve.page.shots FOLDER [DAYS]` makes a market and draws it."""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

from tests.pipelines.serve.conftest import service
from tests.pipelines.serve.page.made import make, stored_now
from tests.pipelines.serve.page.test_browser import CHROMIUM, FLAGS, Tab


class Shot(NamedTuple):
    """A picture: its file's name, what is opened, and in which look and size."""

    name: str
    path: str
    theme: str = "dark"
    width: int = 1440
    height: int = 960
    is_whole: bool = False


SHOTS = (
    Shot("overview-dark", "/", is_whole=True),
    Shot("overview-light", "/", "light", is_whole=True),
    Shot("coin-dark", "/coin/BTC?range=7d", height=1080),
    Shot("coin-light", "/coin/ETH?range=3d", "light", height=1080),
    Shot("coin-blind", "/coin/SOL?range=1d&palette=blind", height=1080),
    Shot("quality-dark", "/quality", is_whole=True),
    Shot("quality-light", "/quality?range=3d", "light", is_whole=True),
    Shot("cascades-dark", "/cascades"),
    Shot("funding-light", "/funding", "light"),
    Shot("position-dark", "/position?leverage=20&size=2&add_margin=2000"),
    Shot("interest-dark", "/open-interest"),
    Shot("signals-dark", "/signals?which=near"),
    Shot("sql-light", "/sql", "light"),
    Shot("phone-overview", "/", width=390, height=844),
    Shot("phone-coin", "/coin/BTC?range=1d", "light", width=390, height=844, is_whole=True),
)


def draw(browser: Any, base: str, shot: Shot, folder: Path) -> None:
    """Write one picture, and print what went wrong on the page."""
    tab = Tab(browser, base, viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.theme)
    tab.open(shot.path)
    tab.page.wait_for_timeout(600)
    tab.settled()
    tab.page.screenshot(path=str(folder / f"{shot.name}.png"), full_page=shot.is_whole)
    print(shot.name, *tab.wrong, sep="\n  ")
    tab.page.close()


def main(folder: Path, days: float) -> None:
    """Make a market of so many days and write every picture of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as world:
        make(Path(world), days)
        with service(Path(world)) as served, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for shot in SHOTS:
                stored_now(Path(world), datetime.now(UTC).replace(tzinfo=None, microsecond=0))
                draw(browser, str(served.client.base_url), shot, folder)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 8)
