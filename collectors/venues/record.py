"""What shared code asks of a venue: one record, which the venue's folder fills in."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic_settings import BaseSettings

from collectors.history.endpoint import History
from collectors.venues.venue import Venue


class Record(NamedTuple):
    """`venue` and `history` read the addresses from the environment, by `hosts`. `known`: contracts that it always lists."""

    name: str
    venue: Callable[[], Venue]
    history: Callable[[], History]
    hosts: type[BaseSettings]
    known: tuple[str, ...]
