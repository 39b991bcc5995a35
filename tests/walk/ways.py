"""How each command that README.md prints is tried: as it stands, or with what its placeholders stand for."""

from typing import NamedTuple

BY_THE_DEMO = "the demo of this run"
LONG = "--since 2d"
PICTURES = ("heatmap", "map", "totals", "cascade", "funding", "oi")


class Way(NamedTuple):
    """A command of README.md. `runs`: what a shell is given, none where `elsewhere` says which test shows it.

    `code`: its exit codes. `says`: what stands in its answer, any of it where it is empty. `live`: it brings data in, so it is
    tried against simulated venues, in a world of its own. `until`: it runs until Ctrl-C, which is pressed once its output
    holds this. `may_be_empty`: an answer of no rows is a good one.
    """

    runs: tuple[str, ...] = ()
    code: tuple[int, ...] = (0,)
    says: str = ""
    live: bool = False
    until: str = ""
    elsewhere: str = ""
    may_be_empty: bool = False


WAYS: dict[str, Way] = {
    "make demo": Way(elsewhere=BY_THE_DEMO),
    "make test": Way(elsewhere="this run of the tests"),
    "make up": Way(("liq up",), live=True, until="Running"),
    "pipx install dist/*.whl && liq demo": Way(elsewhere="tests/infra/test_wheel.py"),
    "LIQ_DATA=data/demo .venv/bin/liq serve": Way(until="serving world="),
    "LIQ_DATA=data/demo .venv/bin/liq watch": Way(until="liquidat"),
    "LIQ_DATA=data/demo .venv/bin/liq status": Way(says="Nothing needs you"),
    "liq collect binance bybit okx": Way(("{} --plan", "{}"), live=True, until="subscribed"),
    "liq ingest --follow": Way(live=True, until="following kafka="),
    "liq backfill bybit --what funding,klines --since 30d": Way(live=True),
    "liq import FILE…": Way(elsewhere="tests/pipelines/test_import_files.py"),
    "liq import binance-dump FILE…": Way(elsewhere="tests/pipelines/test_imports.py"),
    "liq import binance-brackets FILE…": Way(elsewhere="tests/pipelines/test_imports.py"),
    "liq broker start": Way(live=True, says="127.0.0.1"),
    "liq broker status": Way(live=True, says="127.0.0.1"),
    "liq broker stop": Way(live=True, says="stopped"),
    "liq simulate": Way(until="export "),
    "liq parse VENUE FILE": Way(("liq parse bybit frames.jsonl",), says="BTCUSDT"),
    "liq rollup [--all]": Way(("liq rollup", "liq rollup --all")),
    "liq reprocess --since …": Way((f"liq reprocess {LONG}",)),
    "liq flows run": Way(),
    "liq audit": Way(says="ok"),
    "liq cascades detect --since …": Way((f"liq cascades detect {LONG}",), says="cascades found", may_be_empty=True),
    "liq signals": Way(),
    "liq levels estimate": Way(),
    "liq levels backtest": Way(),
    "liq levels fit": Way(),
    "liq position long BTC/USDT:USDT --entry 67000 --size 1 --leverage 10 --mmr 0.004": Way(says="liquidat"),
    **{f"liq plot {kind}": Way(("{} -o " + kind + ".png",)) for kind in PICTURES},
    "liq watch": Way(until="liquidat"),
    'liq sql "…"': Way(('liq sql "from liquidation_totals" -o totals.parquet',)),
    "liq alerts run": Way(elsewhere="tests/pipelines/alerts/test_commands.py"),
    "liq export liquidations": Way(says="rows"),
    "liq serve": Way(until="serving world="),
    "liq mcp": Way(elsewhere="tests/pipelines/serve/test_agents.py"),
    "liq shell": Way(("echo 'from market_stress;' | liq shell",), says="BTC"),
    "liq schema [TABLE]": Way(("liq schema", "liq schema liquidations"), says="liquidations"),
    "liq views [NAME]": Way(("liq views", "liq views liquidation_totals"), says="liquidation_totals"),
    "liq venues": Way(says="one_per_second_largest"),
    "liq maintain": Way(),
    "liq backup FOLDER": Way(("liq backup copy",)),
    "liq verify": Way(says="whole"),
    "liq restore FOLDER": Way(("LIQ_DATA=again liq restore copy",)),
    "liq status": Way(says="Nothing needs you"),
    "liq doctor": Way(live=True, code=(0, 1), says="Java"),
    'liq sql "from frames_accounted where whole is not true"': Way(may_be_empty=True),
    "liq sql \"from frame_numbers where fate = 'missing'\"": Way(may_be_empty=True),
}  # fmt: skip


LIVE = (
    "liq doctor", "liq collect binance bybit okx", "liq broker start", "liq broker status", "liq ingest --follow",
    "liq backfill bybit --what funding,klines --since 30d", "liq broker stop", "make up",
)  # fmt: skip
"""Those tried against simulated venues, in this order."""


def way(command: str) -> Way | None:
    """Return how to try a command; a query that is not named is tried as it stands, None where nobody said how."""
    found = WAYS.get(command)
    if command.startswith("duckdb "):
        return Way(elsewhere="tests/warehouse/test_offline_duckdb.py")
    if found is None and command.removeprefix("LIQ_DATA=data/demo .venv/bin/").startswith("liq sql "):
        return Way()
    return found
