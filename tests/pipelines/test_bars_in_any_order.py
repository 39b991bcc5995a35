"""Bars of prices and open interest equal those of all rows at once, whatever order rows came, went and were rolled in."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest

from pipelines.derive.bars.run import rollup
from warehouse import lake
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.statements import rollup as made_by
from warehouse.tables import TABLES
from warehouse.writer import Frames, append, rewrite

DAY = datetime(2026, 10, 8)  # noqa: DTZ001 the warehouse's times are UTC without a zone
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LONG_AGO, FAR = datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001
KNOWN = {"venue": "bybit", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT",
         "settle": "USDT", "contract": "linear"}  # fmt: skip
UNKNOWN = {"venue": "bybit", "symbol": "ETHUSDT"}
TOPICS = {"klines": "raw.kline", "open_interest": "raw.open_interest", "mark_prices": "raw.ticker"}
NOTHING = timedelta(0)
SMALL = {name: TABLES[name] for name in ("klines", "open_interest", "rollup_pending", "prices_1h")}
TABLES_OF_BARS = ("prices_1h", "prices_1d", "open_interest_1h")


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted) | row for row in rows], schema=wanted)


class World:
    """A lake in which rows come and go at random; a value depends on its contract and time alone, so that none is arguable."""

    def __init__(self, opened: Lake, seed: int) -> None:
        self.lake = opened
        self.chance = random.Random(seed)
        self.offset = 0

    def row(self, table: str) -> dict[str, Any]:
        """Return a row of any time within three days that arrives at any time: late, soon, or by a clock a day ahead."""
        ts = DAY + MINUTE * self.chance.randrange(3 * 1440)
        interval = self.chance.choice(("1m", "1m", "1m", "1h", "1d"))
        length = {"1m": MINUTE, "1h": HOUR, "1d": timedelta(days=1)}[interval]
        own = {
            "klines": {"interval": interval, "price_kind": self.chance.choice(("trade", "trade", "mark")), "open": 1.0,
                       "closed": self.chance.random() < 0.8, "ts_event": DAY + (ts - DAY) // length * length},
            "open_interest": {"ts": ts, "ts_event": ts, "oi_base": 1.0, "period": self.chance.choice((None, None, "5m"))},
            "mark_prices": {"ts": ts, "ts_event": ts, "mark_price": 1.0},
        }[table]  # fmt: skip
        self.offset += 1
        arrived = ts + self.chance.choice((MINUTE, MINUTE, 9 * HOUR, timedelta(days=4), timedelta(days=1)))
        trace = {"ts_recv": arrived, "kafka_topic": TOPICS[table], "kafka_partition": 0, "kafka_offset": self.offset,
                 "session": "s", "seq": self.offset, "source": "live"}  # fmt: skip
        return self.valued(self.chance.choice((KNOWN, UNKNOWN)) | own | trace)

    def valued(self, row: dict[str, Any]) -> dict[str, Any]:
        price = 100.0 + (row["ts_event"] - DAY) // MINUTE % 977 + len(row["symbol"]) + ord(row["symbol"][0])
        prices = {"open": price, "high": price + 1, "low": price - 1, "close": price + 0.5, "volume_base": price / 8}
        return row | {name: value for name, value in (prices | {"mark_price": price, "oi_base": price}).items()
                      if name in row or ("open" in row and name in prices)}  # fmt: skip

    def come(self) -> None:
        tables = {}
        for table in TOPICS:
            rows = [self.row(table) for _ in range(self.chance.randrange(12))]
            tables[table] = frame(table, rows)
        raw = pl.concat([rows.select("ts_recv", "kafka_topic", "kafka_partition", "kafka_offset", "session", "seq")
                         for rows in tables.values()])  # fmt: skip
        append(self.lake, {**tables, "raw_frames": frame("raw_frames", raw.to_dicts())})

    def described(self) -> None:
        base = self.chance.choice(("ETH", "ETHER"))
        own = {"instrument": f"{base}/USDT:USDT", "base": base, "quote": "USDT", "settle": "USDT", "contract": "linear",
               "valid_from": DAY + MINUTE * self.chance.randrange(5000), "ts_recv": DAY}  # fmt: skip
        append(self.lake, {"instruments": frame("instruments", [UNKNOWN | own])})

    def read_again(self) -> None:
        """Take some rows of a time of arrival out, move others, and bring back some of those taken out before."""
        table = self.chance.choice(list(TOPICS))
        since = DAY + HOUR * self.chance.randrange(120)
        until, topics = since + HOUR * self.chance.randrange(1, 30), (TOPICS[table],)
        count = f"SELECT count(*) FROM raw_frames WHERE {Frames(since, until, topics, 0).where}"
        frames = Frames(since, until, topics, (self.lake.connection.execute(count).fetchone() or (0,))[0])
        rows = self.lake.connection.execute(f"FROM {table} WHERE {frames.where}").pl().to_dicts()
        kept = [row for row in rows if self.chance.random() < 0.8]
        for row in kept:
            if table != "klines" and self.chance.random() < 0.2:
                row["ts"] = row["ts_event"] = row["ts_event"] + HOUR * self.chance.randrange(-5, 5)
        rewrite(self.lake, {table: frame(table, [self.valued(row) for row in kept])}, frames)

    def renewed(self) -> None:
        self.lake.renew()

    def roll(self) -> None:
        rollup(self.lake)

    def maintain(self) -> None:
        maintain(self.lake, NOTHING, NOTHING, SMALL)

    def step(self) -> None:
        steps = (self.come, self.come, self.come, self.described, self.read_again, self.read_again, self.renewed, self.roll,
                 self.roll, self.maintain)  # fmt: skip
        self.chance.choice(steps)()


def comparable(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    names = sorted(rows.columns)
    return sorted(rows.select(names).with_columns(cs.float().round_sig_figs(12)).rows(), key=repr)


def check(warehouse: Lake) -> None:
    """Compare the stored bars with those that all rows give at once; days are made of hours."""
    for table in TABLES_OF_BARS:
        wanted = warehouse.connection.execute(made_by(table).body, {"since": LONG_AGO, "until": FAR}).pl()
        stored = warehouse.connection.execute(f"FROM {table}").pl()
        assert comparable(stored) == comparable(wanted.cast(dict(TABLES[table].schema))), table


@pytest.mark.parametrize("seed", range(4))
def test_bars_are_those_of_all_rows_whatever_came_when(fresh_world: Path, seed: int) -> None:
    with lake.open(fresh_world, read_only=False) as opened:
        world = World(opened, seed)
        for _ in range(24):
            world.step()
        world.come()
        rollup(opened)
        check(opened)
        assert opened.connection.execute("SELECT count(*) FROM prices_1h").fetchone() > (10,)
        assert rollup(opened) == (0, 0, 0, 0)
