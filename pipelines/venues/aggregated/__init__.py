"""What vendors sum up over venues or contracts: liquidations per period, long and short. Nothing here is one liquidation, so
none of it is in any total; it lies in `liquidations_aggregated`.

A vendor's answers do not say all: the coin of CoinGlass, the unit and the period of Coinalyze come behind the channel's `@`,
with a comma between them, as whoever imports them says.
"""

from pipelines.facts import Instrument
from pipelines.venues.aggregated import exports
from pipelines.venues.aggregated.symbols import symbol_form
from pipelines.venues.venue import Named, Venue, Versions, always

PARSERS: dict[tuple[str, str], Versions] = {
    ("rest", exports.COINGLASS): always(exports.coinglass),
    ("rest", exports.COINALYZE): always(exports.coinalyze),
}


def channel_of(_payload: bytes) -> Named | None:
    """Name no message: vendors are asked, they push nothing here."""
    return None


def group_of(_contract: Instrument) -> str:
    """Return the one group there would be: no contracts are listed."""
    return ""


VENUE = Venue(
    "aggregated", PARSERS, {}, channel_of, symbol_form, {}, group_of, answer_of=exports.answer_of,
    to_be_said={exports.COINGLASS: ("symbol",), exports.COINALYZE: ("unit",)},
)  # fmt: skip
