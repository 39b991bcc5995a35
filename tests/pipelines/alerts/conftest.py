"""A world with a cascade and a signal, a receiver of webhooks, and rules of alerts."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from liq import app
from pipelines.alerts import rounds
from pipelines.alerts.outbox import Outbox
from pipelines.alerts.rules import read
from tests.pipelines.serve.conftest import rows
from tests.warehouse.made import copied
from warehouse import lake, schema
from warehouse.writer import append

SECRET = "a secret of the tests"


NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


class Heard(NamedTuple):
    """A receiver: its address, what it got, and the codes that it answers with next (200 where none is left)."""

    url: str
    got: list[tuple[dict[str, str], bytes]]
    codes: list[int]


@pytest.fixture
def heard() -> Iterator[Heard]:
    got: list[tuple[dict[str, str], bytes]] = []
    codes: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(codes.pop(0) if codes else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Heard(f"127.0.0.1:{server.server_port}", got, codes)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = tmp_path_factory.mktemp("alerts")
    schema.create_or_migrate(world)
    cascade = {"cascade_id": "one", "rule_version": "v2", "scope": "all", "base": "BTC", "position_side": "long", "usd": 5e6,
               "count": 40, "ts_start": NOW - timedelta(minutes=9), "ts_end": NOW - timedelta(minutes=7), "venues": "okx",
               "completeness": "all", "lower_bound": False, "closed": True, "by_venue": "[]"}  # fmt: skip
    fired = {"ts": NOW.replace(minute=0, second=0), "signal": "washout_long", "base": "BTC", "position_side": "long",
             "expected": "up", "conditions": "as they were", "computed_ts": NOW, "price": 60_000.0}  # fmt: skip
    contract = {
        "venue": "okx",
        "symbol": "BTC",
        "instrument": "BTC/USDT:USDT",
        "base": "BTC",
        "quote": "USDT",
        "ts_recv": NOW,
    }
    with lake.open(world, read_only=False) as opened:
        append(opened, {
            "cascades": rows("cascades", cascade), "signals": rows("signals", fired),
            "cascade_rules": rows("cascade_rules", {"rule_version": "v2", "since": NOW}),
            "instruments": rows("instruments", contract),
        })  # fmt: skip
    return world


@pytest.fixture
def world(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied(made, tmp_path)
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    return tmp_path


def liq(*words: str) -> Result:
    return CliRunner().invoke(app, ["alerts", *words])


def write(world: Path, heard: Heard, *rules: str) -> Path:
    """Write a file of rules with a webhook that this test hears."""
    target = f'[deliver.hook]\nwebhook = "http://{heard.url}/hook"\nsecret = "{SECRET}"\n'
    path = world / "alerts.toml"
    path.write_text(target + "".join(f"[[rule]]\n{rule}\n" for rule in rules))
    return path


def sql_rule(select: str, more: str = "", name: str = "mine") -> str:
    return f'name = "{name}"\nkind = "sql"\nquery = "{select}"\n{more}'


def once(world: Path) -> int:
    """Do one round, as after a restart."""
    outbox = Outbox(world)
    try:
        return rounds.one_round(world, read(world / "alerts.toml"), outbox)
    finally:
        outbox.close()


def wait_over(world: Path) -> None:
    """Let every pause be over."""
    outbox = Outbox(world)
    with outbox._file:
        outbox._file.execute("UPDATE deliveries SET due = 0")
        outbox._file.execute("UPDATE rules SET due = 0")
    outbox.close()


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
