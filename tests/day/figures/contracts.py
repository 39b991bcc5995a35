"""What contracts are, from the venues' own lists: for views that complete rows by them."""

from functools import cache
from typing import NamedTuple

from tests.day.facts import Facts, Row

DOLLARS = ("USD", "USDT", "USDC")


class Contract(NamedTuple):
    """A contract as listed."""

    instrument: str
    base: str
    quote: str
    settle: str
    contract: str
    multiplier: int


@cache
def contracts(facts: Facts) -> dict[tuple[str, str], Contract]:
    """Return every contract of the day; `liq parse` was given the venues' lists, so each priced row tells its contract."""
    multipliers = {(row["venue"], row["symbol"]): row["multiplier"] for row in facts.marks}
    return {
        (row["venue"], row["symbol"]): Contract(
            row["instrument"], row["base"], row["quote"], row["settle"], row["contract"],
            multipliers[row["venue"], row["symbol"]],
        )
        for row in facts.open_interest
    }  # fmt: skip


def named(facts: Facts, row: Row, *names: str) -> Row:
    """Return columns of a row's contract."""
    found = contracts(facts)[row["venue"], row["symbol"]]._asdict()
    return {name: found[name] for name in names}
