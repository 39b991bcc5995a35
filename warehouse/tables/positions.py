"""account_positions: what accounts hold, where a venue shows it; measured_levels: where those positions would be liquidated."""

from warehouse.tables.levels import BIN
from warehouse.tables.shared import IDENTITY, SYMBOL, TRACE, TS_EVENT, VENUE
from warehouse.tables.table import Column, Table, by_day

NO_POSITION = "the account has no position"
PER_COIN = "quote per coin"

ACCOUNT_POSITIONS = Table(
    name="account_positions",
    grain="one position of one account at one time, of the accounts that are asked for; an account without any has a row of "
    "symbol *. An answer has all positions of its account: what the account's newest answer lacks is closed",
    columns=(
        *(SYMBOL._replace(meaning="Contract in the venue's own spelling; *: no position") if each is SYMBOL else each
          for each in IDENTITY),
        TS_EVENT._replace(meaning="When the account was so, by the exchange's clock"),
        Column("account", "VARCHAR", "Address of the account", source="what was asked for"),
        Column("position_side", "VARCHAR", "long or short", null_when=NO_POSITION),
        Column("qty_base", "DOUBLE", "Size", "coins", "frame", "the contract's size is not known"),
        Column("entry_price", "DOUBLE", "Average entry", PER_COIN, "frame", NO_POSITION),
        Column("liquidation_price", "DOUBLE", "Where the venue would liquidate it, as it says itself; of a cross position "
               "while the account's others stay as they are", PER_COIN, "frame", "no price would, or no position"),
        Column("notional_usd", "DOUBLE", "What it is worth at the mark price, as the venue says", "USD", "frame", NO_POSITION),
        Column("leverage", "DOUBLE", "Leverage that is set", "times", "frame", NO_POSITION),
        Column("margin", "VARCHAR", "cross or isolated", "", "frame", NO_POSITION),
        *TRACE,
    ),
    partition=by_day("ts_event"),
    sort=("venue", "account", "ts_event"),
    key=("venue", "account", "symbol", "ts_event"),
    key_time="ts_event",
)  # fmt: skip

MEASURED_LEVELS = Table(
    name="measured_levels",
    grain="one price bin of a coin's side at a venue at one time: the positions of known accounts that would be liquidated in "
    "it, as the venue says; no estimate, and not all positions. Hourly, and the newest",
    columns=(
        Column("ts", "TIMESTAMP", "The positions as last answered by then", "UTC"),
        VENUE,
        Column("base", "VARCHAR", "Coin, over its contracts at the venue that are quoted in dollars"),
        Column("position_side", "VARCHAR", "long (levels below the price) or short (above)"),
        BIN,
        Column("price_low", "DOUBLE", "Lower edge of the bin", "USD per coin"),
        Column("price_high", "DOUBLE", "Upper edge of the bin", "USD per coin"),
        Column("price", "DOUBLE", "Mean liquidation price in the bin, weighted by coins", "USD per coin"),
        Column("usd", "DOUBLE", "qty_base x price: what would be liquidated", "USD", "account_positions"),
        Column("qty_base", "DOUBLE", "Positions", "coins", "account_positions"),
        Column("accounts", "BIGINT", "Accounts", "accounts", "account_positions"),
        Column("price_now", "DOUBLE", "Mark price of the coin at the venue at ts", "USD per coin", "mark_prices"),
        Column("distance", "DOUBLE", "price / price_now - 1", "fraction"),
        Column("oi_share", "DOUBLE", "Open interest that was observed: positions of all known accounts of this coin and side, "
               "those without a liquidation price among them / the venue's open interest", "fraction", "open_interest",
               "open interest is not known"),
        Column("age_s", "DOUBLE", "Mean age of the answers at ts, weighted by coins", "s"),
    ),
    partition=by_day("ts"),
    sort=("base", "ts", "venue", "position_side", "bin"),
    append_only=False,
)  # fmt: skip
