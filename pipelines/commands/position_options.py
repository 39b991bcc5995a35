"""The options of `liq position`, grouped as its help shows them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.position.clusters import KNOWN_WITHIN
from pipelines.venues import HEARD

CROSS, TABLE, TRY, MARKET = "Cross margin", "Margin table", "What if, each by itself", "Market"


class Side(StrEnum):
    """long or short."""

    LONG = "long"
    SHORT = "short"


class Format(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


class MaintenanceAt(StrEnum):
    """What the maintenance margin is a rate of."""

    MARK = "mark"
    ENTRY = "entry"


def _option(*names: str, help: str, panel: str | None = None) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(*names, help=help, rich_help_panel=panel, show_default=False)
    return found


Sided = Annotated[Side, typer.Argument(help="whose position: long or short")]
Contract = Annotated[str, typer.Argument(help="btc, BTC/USDT:USDT, BTC/USD:BTC, or a venue's own symbol")]
Entry = Annotated[float, _option(help="Entry price, as the venue quotes the contract.")]
Size = Annotated[float, _option(help="Coins if linear, USD if inverse.")]
OfVenue = Annotated[
    str | None, _option(help=f"Venue whose margin table, mark price and funding to use: {', '.join(HEARD)}.")
]
Leverage = Annotated[float | None, _option(help="Leverage; isolated margin is then notional / leverage.")]
Margin = Annotated[
    float | None, _option(help="Isolated margin in the settle currency, if it is not notional / leverage.")
]
Fee = Annotated[float, _option(help="Taker fee of the forced close, 0.0005 is 0.05 %; no fee if not given.")]
Formatted = Annotated[Format, _option("--format", "-f", help="How it is written: table or json.")]

Cross = Annotated[bool, _option("--cross", help="Cross margin: the position is backed by --balance.", panel=CROSS)]
Balance = Annotated[float | None, _option(help="The account's balance in the settle currency.", panel=CROSS)]
OtherMaintenance = Annotated[float, _option(help="Maintenance margin of the other positions.", panel=CROSS)]
OtherProfit = Annotated[float, _option(help="Unrealised profit of the other positions, or loss.", panel=CROSS)]

Rate = Annotated[
    float | None, _option(help="One maintenance margin rate, 0.004 is 0.4 %, in place of a table.", panel=TABLE)
]
Deduction = Annotated[float, _option(help="With --mmr: maintenance amount to subtract, settle currency.", panel=TABLE)]
Tiers = Annotated[
    Path | None,
    _option(help="File with the venue's answer (JSON), or a CSV with the columns of leverage_tiers.", panel=TABLE),
]
ContractSize = Annotated[float | None, _option(help="Coins per contract (inverse: USD), if the margin table counts contracts.",
                                               panel=TABLE)]  # fmt: skip
Maintained = Annotated[MaintenanceAt | None, _option(
    help="Maintenance margin from the notional at the mark price, or at entry; if not given, as the venue does.",
    panel=TABLE)]  # fmt: skip

AddMargin = Annotated[float | None, _option(help="Margin to add, settle currency.", panel=TRY)]
Close = Annotated[float | None, _option(help="Part of the size to close, at the mark price.", panel=TRY)]
Hold = Annotated[str | None, _option(help="How long it is held, to add the funding it costs: 90m, 72h, 3d.", panel=TRY)]
Stop = Annotated[
    float | None, _option(help="Price of your stop; half way to the liquidation price if not given.", panel=TRY)
]

Mark = Annotated[
    float | None, _option(help="Mark price; if not given, the warehouse's, else the entry price.", panel=MARKET)
]
FundingRate = Annotated[
    float | None, _option(help="Funding rate per interval; the warehouse's if not given.", panel=MARKET)
]
FundingInterval = Annotated[
    float, _option(help="With --funding-rate: hours per interval; 8 if not given.", panel=MARKET)
]
Within = Annotated[float, typer.Option(
    min=0.001, max=KNOWN_WITHIN, rich_help_panel=MARKET,
    help="How far from the price a cluster may begin to be shown, and a stop is tried first: a fraction.")]  # fmt: skip
