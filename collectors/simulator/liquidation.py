"""A liquidation as it happens in the market, before a venue's feed shows it."""

from typing import Literal

import msgspec

from collectors.simulator.contracts import Contract

Position = Literal["long", "short"]


class Liquidation(msgspec.Struct, frozen=True, eq=False):
    """`ts` UTC ms; `qty` in the venue's units; `fill` average price of the closing order, `bankruptcy` the limit it may
    not cross and `mark` the mark price, all as text the way the venue quotes them.
    """

    contract: Contract
    ts: int
    position: Position
    qty: str
    fill: str
    bankruptcy: str
    mark: str

    @property
    def order_side(self) -> Literal["buy", "sell"]:
        """Side of the order that closes the position."""
        return "sell" if self.position == "long" else "buy"

    @property
    def shown_price(self) -> str:
        """The price a reader should take: the one of the three that the venue's feed shows."""
        return {"fill": self.fill, "bankruptcy": self.bankruptcy, "mark": self.mark}[self.contract.shows.price]

    @property
    def qty_base(self) -> float:
        """Coins, at the shown price."""
        return self.contract.coins(float(self.qty), float(self.shown_price) / self.contract.scale)

    @property
    def usd(self) -> float:
        """Notional in USD (stablecoins as one), at the shown price."""
        contract, qty = self.contract, float(self.qty)
        return qty * contract.size * (1 if contract.inverse else float(self.shown_price) / contract.scale)
