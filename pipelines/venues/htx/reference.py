"""HTX's contracts, listed and pushed. Facts: exchanges/htx.md §2, §4: the size is coins (linear) or USD (coin-margined)."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import Instrument, Row
from pipelines.venues.htx.items import read_data
from pipelines.venues.htx.symbols import symbol_form
from pipelines.venues.symbols import unified
from pipelines.venues.wire import Held, Text, later, positive

STATUSES = {
    0: "delisted by the venue", 1: "listed", 2: "to be listed", 3: "suspended", 4: "suspending before listing",
    5: "in settlement", 6: "in delivery", 7: "settled", 8: "delivered", 9: "suspended before listing",
}  # fmt: skip
DELIVERED = "0800+0000"
"""The time of day at which contracts are delivered, as the listed ones have it."""


class _Contract(msgspec.Struct):
    contract_code: str
    contract_size: float
    contract_status: int = 1
    delivery_time: Text = ""
    business_type: str = ""


_contract = msgspec.json.Decoder(_Contract).decode


def instruments(frame: RawFrame, _held: Held) -> list[Row]:
    """Return the contracts of a market."""
    return read_data(frame, _contract, lambda _, item: _instrument(item))


def _instrument(item: _Contract) -> Iterable[Row]:
    form = symbol_form(item.contract_code)
    if form is None or form.contract is None or form.settle is None:
        raise ValueError(f"a contract whose code is of no known form: {item.contract_code[:60]!r}")
    perpetual = form.kind == "perpetual"
    return [Instrument(
        item.contract_code, unified(form.base, form.quote, form.settle, form.expiry), form.base, form.quote, form.settle,
        form.contract, "perpetual" if perpetual else "delivery", positive(item.contract_size, "contract_size"),
        form.multiplier, STATUSES.get(item.contract_status, str(item.contract_status)), form.family, perpetual,
        expiry_ms=later(int(item.delivery_time) if item.delivery_time else _delivered(form.expiry)),
    )]  # fmt: skip


def _delivered(date: str) -> int | None:
    """Return when a contract of this date (YYMMDD, or empty) is delivered, UTC ms: pushed contracts have no time of day."""
    return int(datetime.strptime(f"{date}{DELIVERED}", "%y%m%d%H%M%z").timestamp() * 1000) if date else None
