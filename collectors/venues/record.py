"""What shared code asks of a venue: one record, which the venue's folder fills in."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from pydantic_settings import BaseSettings

from collectors.history.endpoint import History
from collectors.venues.venue import Venue

Kind = Literal["liquidations", "funding", "settled funding", "open interest", "mark", "index", "ratios", "klines"]
"""A kind of data; `funding` is the running rate."""


class Record(NamedTuple):
    """`venue` and `history` read the addresses from the environment, by `hosts`. `known`: contracts that it always lists.

    `collects`: the channels that bring a kind of data, of every contract; one that is a single contract's, as a pulse, is not
    among them, and a kind that the venue does not give is absent. `is_usual`: collected, simulated and shown where nobody
    names venues.
    """

    name: str
    venue: Callable[[], Venue]
    history: Callable[[], History]
    hosts: type[BaseSettings]
    known: tuple[str, ...]
    collects: Mapping[Kind, tuple[str, ...]]
    is_usual: bool = False
