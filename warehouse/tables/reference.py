"""instruments and leverage_tiers: facts about contracts, each with the time from which it held. Never deleted."""

from warehouse.tables.shared import (
    BASE,
    CONTRACT,
    INSTRUMENT,
    INTERVAL_HOURS,
    KIND,
    QUOTE,
    SETTLE,
    SYMBOL,
    TRACE,
    VENUE,
)
from warehouse.tables.table import Column, Table, Touches

NEVER = ""
VALID_FROM = Column("valid_from", "TIMESTAMP", "Since when it is known to hold: arrival of the first frame that says so",
                    "UTC", "ts_recv")  # fmt: skip
OR_WITHOUT = "; of delisted: of the first page of the venue's list without it"

INSTRUMENTS = Table(
    name="instruments",
    grain="one contract as listed from valid_from on; a new row only when something differs from the last",
    columns=(
        VENUE,
        SYMBOL,
        *(column._replace(null_when=NEVER) for column in (INSTRUMENT, BASE, QUOTE, SETTLE, CONTRACT, KIND)),
        Column("contract_size", "DOUBLE", "One contract: coins (before the multiplier) if linear, USD if inverse",
               "coins or USD", "frame"),
        Column("multiplier", "INTEGER", "Coins in one quoted unit (1000 for 1000PEPEUSDT)"),
        Column("status", "VARCHAR", "State in the venue's words; delisted (our word) once no list of the venue has held the "
               "contract for two hours of reading", source="frame"),
        Column("family", "VARCHAR", "What contracts of one underlying and settlement share (BTC-USD, BTCUSD)"),
        Column("pays_funding", "BOOLEAN", "Perpetual or perpetual-like"),
        Column("asset_class", "VARCHAR", "crypto, or what else the contract is on"),
        Column("listed_ts", "TIMESTAMP", "When trading began", "UTC", "frame", "the venue does not send it"),
        Column("expiry_ts", "TIMESTAMP", "When it expires or is delisted", "UTC", "frame", "none is set"),
        INTERVAL_HOURS,
        VALID_FROM._replace(meaning=VALID_FROM.meaning + OR_WITHOUT),
        *TRACE,
    ),
    sort=("venue", "symbol", "valid_from"),
    touches=Touches("", ("venue", "symbol")),
)  # fmt: skip

LEVERAGE_TIERS = Table(
    name="leverage_tiers",
    grain="one step of a contract's margin table, from valid_from on; all steps anew when one of them changes",
    columns=(
        VENUE,
        SYMBOL,
        Column("tier", "INTEGER", "Number of the step, by rising floor", source="frame"),
        Column("floor", "DOUBLE", "Position size from which the step applies", "unit", "frame"),
        Column("cap", "DOUBLE", "Position size up to which it applies", "unit", "frame", "the last step is open"),
        Column("unit", "VARCHAR", "Unit of floor and cap: base, contract, usd or quote"),
        Column("maintenance_margin_rate", "DOUBLE", "Maintenance margin / notional", "fraction", "frame"),
        Column("initial_margin_rate", "DOUBLE", "Initial margin / notional", "fraction", "frame", "not sent"),
        Column("max_leverage", "DOUBLE", "Highest leverage", "times", "frame"),
        Column("deduction", "DOUBLE", "Maintenance amount taken off at this step", "settle currency", "frame", "not sent"),
        VALID_FROM._replace(meaning=VALID_FROM.meaning + "; of source static: the date the venue published it for"),
        TRACE[0]._replace(meaning="When the frame arrived, by our clock; of source static: when ingest wrote the row"),
        TRACE[1]._replace(meaning=TRACE[1].meaning + " or static (static_tiers.csv of the venue, dated)"),
        *(column._replace(null_when="source is static: there is no frame") for column in TRACE[2:]),
    ),
    sort=("venue", "symbol", "valid_from", "tier"),
)  # fmt: skip
