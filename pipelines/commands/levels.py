"""`liq levels`: estimate where positions would be liquidated, fit the leverage weights, score the maps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from collectors.terminal import bar, since_option, until_option
from pipelines.derive.levels.backtest import FIT_OVER, MOST_COINS, backtest, fit, why_none
from pipelines.derive.levels.estimate import FIRST_RUN, estimate
from pipelines.derive.levels.fresh import refresh
from warehouse import names
from warehouse.lake import Lake
from warehouse.query import query, reading_world
from warehouse.writing import to_write

VERDICTS = "SELECT base, verdict FROM levels_score ORDER BY realised_usd DESC LIMIT 10"
LAST_HOUR = "before this time, cut to the hour; the last full hour if not given"
Coins = Annotated[
    str,
    typer.Option(
        metavar="COIN[,COIN...]", help=f"such as BTC,ETH; the {MOST_COINS} with the most liquidated if not given"
    ),
]

app = typer.Typer(help="Estimated liquidation levels, and how good they are.")


@app.command("estimate")
def estimate_command(
    since: Annotated[datetime | None, since_option("estimate again from this time on; if not given, continue")] = None,
    until: Annotated[
        datetime | None, until_option("before this time; the last minute that has prices if not given")
    ] = None,
) -> None:
    """Update the estimated levels: tables liquidation_levels and levels_state.

    Continues from the last full hour; with --since it estimates everything from that time on again. The first run looks 30
    days back. To see the levels: liq sql "from liquidation_map where base = 'BTC'".
    """
    end = until or _now()
    with to_write() as warehouse, _bar("estimating levels", since or end - FIRST_RUN, end) as tell:
        done = estimate(warehouse, until, since, tell=tell) if until else refresh(warehouse, end, since, tell)
    print(f"{done.columns:,} columns with {done.rows:,} rows for {done.coins:,} coins, from {done.bars:,} bars")


@app.command("backtest")
def backtest_command(
    since: Annotated[datetime | None, since_option("from this time on; seven days ago if not given")] = None,
    until: Annotated[datetime | None, until_option(LAST_HOUR)] = None,
    coins: Coins = "",
) -> None:
    """Score the maps of a time (the last seven days) against what was liquidated; also fit the leverage weights.

    Each map is made before the bars that it is scored on, with weights fitted to earlier data. Results: tables levels_scores,
    leverage_weights and levels_features, views levels_score and levels_score_by_venue.
    """
    end = until or _now()
    begin = since or end - timedelta(days=7)
    with to_write() as warehouse, _bar("replaying", begin - FIT_OVER, end) as tell:
        done = backtest(warehouse, begin, end, _coins(warehouse, coins), tell=tell)
        why = "" if done.maps else why_none(warehouse, begin, end, _now())
    if why:
        print(f"nothing scored: {why}")
        return
    print(f"{done.maps:,} maps of {done.coins:,} coins: {done.scores:,} rows of scores, {done.weights:,} of weights")
    for row in query(VERDICTS, reading_world()[0]).rows():
        print(f"{row[0]:10} {row[1]}")


@app.command("fit")
def fit_command(
    until: Annotated[datetime | None, until_option(LAST_HOUR, alone=True)] = None, coins: Coins = ""
) -> None:
    """Fit the leverage weights to the liquidations of the last two weeks; later estimates use them."""
    end = until or _now()
    with to_write() as warehouse, _bar("replaying", end - FIT_OVER, end) as tell:
        found = fit(warehouse, end, _coins(warehouse, coins), tell=tell)
        why = "" if found.height else why_none(warehouse, end - FIT_OVER, end, _now())
    for (base,), rows in found.group_by("base", maintain_order=True) if found.height else ():
        told = ", ".join(f"{leverage:g}x {weight:.2f}" for leverage, weight in rows.select("leverage", "weight").rows())
        print(f"{base!s:10} {rows['method'][0]:10} {told}")
    if why:
        print(f"nothing to fit to: {why}")


def _coins(warehouse: Lake, text: str) -> list[str]:
    return [names.coin(warehouse, each.strip()) for each in text.split(",") if each.strip()]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def _bar(what: str, begin: datetime, end: datetime) -> Iterator[Callable[[datetime], object]]:
    """A bar over the time from begin to end."""
    with bar(what, (end - begin).total_seconds()) as move:
        yield lambda at: move(completed=(at - begin).total_seconds())
