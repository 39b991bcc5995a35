"""Gate's contracts. Facts: exchanges/gateio-futures.md §2, §4: `quanto_multiplier` is the coins in a linear contract."""

from collections.abc import Iterable

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Instrument, Row
from pipelines.venues.gateio.items import in_ms, read_items
from pipelines.venues.gateio.symbols import symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import Held, later, nothing, number, positive

HOUR_S = 3600


class _Contract(msgspec.Struct):
    name: str
    quanto_multiplier: str = "0"
    type: str = "direct"
    in_delisting: bool = False
    funding_interval: int = 0
    expire_time: int = 0
    create_time: float = 0


_contract = msgspec.json.Decoder(_Contract).decode


def contracts(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a settlement; of a quanto contract none: its dollars need the price of BTC beside its own."""
    return read_items(frame, _contract, lambda _, item: _instrument(item))


def _instrument(item: _Contract) -> Iterable[Row]:
    form = symbol_form(item.name)
    if form is None or form.settle is None:
        raise ValueError(f"a contract whose name is of no known form: {item.name[:60]!r}")
    if form.contract is None:
        return nothing("a quanto contract: neither linear nor inverse")
    perpetual, created = form.kind == "perpetual", int(number(item.create_time))
    size = 1.0 if form.contract == "inverse" else positive(item.quanto_multiplier, "quanto_multiplier")
    return [Instrument(
        item.name, unified(form.base, form.quote, form.settle, form.expiry), form.base, form.quote, form.settle, form.contract,
        "perpetual" if perpetual else "delivery", size, form.multiplier, "delisting" if item.in_delisting else "trading",
        form.family, perpetual, "crypto", later(in_ms(created)), later(in_ms(item.expire_time)),
        item.funding_interval / HOUR_S if perpetual and item.funding_interval else None,
    )]  # fmt: skip
