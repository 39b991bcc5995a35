"""Price views: candles of any length out of one-minute ones, the last day, and Wilder's RSI (formulas.md §5)."""

from functools import cache
from itertools import pairwise

from tests.day.facts import DAY, HOUR, MINUTE, SECOND, Facts, Row, Rows
from tests.day.figures.arithmetic import grouped, total
from tests.day.figures.contracts import DOLLARS, contracts

MONDAY = 4 * DAY  # of the first week after 1970-01-01, a Thursday
WEEK = 7 * DAY
OF = ("venue", "symbol", "instrument", "base", "quote", "settle")
VOLUMES = ("volume_base", "volume_quote", "taker_buy_base", "trades")
INTERVALS = {"15m": 15 * MINUTE, "1h": HOUR, "4h": 4 * HOUR, "12h": 12 * HOUR, "1d": DAY, "1w": WEEK}
Key = tuple[str, str]


def of_contract(row: Row) -> Key:
    return row["venue"], row["symbol"]


def bucket(ts: int, length: int) -> int:
    """Return the start of the bar; weeks begin on Monday."""
    origin = MONDAY if length == WEEK else 0
    return (ts - origin) // length * length + origin


@cache
def _candles(facts: Facts, interval: str) -> dict[Key, Rows]:
    rows = (row for row in facts.klines if row["interval"] == interval and row["price_kind"] == "trade")
    return grouped(sorted(rows, key=lambda row: (int(row["ts_event"]), bool(row["closed"]))), of_contract)


def _known(rows: Rows, since: int, until: int) -> Rows:
    """Return the minutes of [since, until]; of one that ends after it only how it stood while it ran."""
    return [r for r in rows if since <= r["ts_event"] <= until and (r["ts_event"] <= until - MINUTE or not r["closed"])]


def _bar(rows: Rows) -> Row:
    """Return the candle of minutes in their order, closed ones behind those that ran; volumes are of closed ones."""
    closed = [row for row in rows if row["closed"]]
    found: Row = {name: rows[-1][name] for name in OF}
    found |= {name: total(row[name] for row in closed) for name in VOLUMES}
    return found | {
        "open": next((row for row in closed if row["ts_event"] == rows[0]["ts_event"]), rows[0])["open"],
        "high": max(row["high"] for row in rows), "low": min(row["low"] for row in rows),
        "close": rows[-1]["close"], "minutes": len(closed), "last_minute": rows[-1]["ts_event"],
        "last_closed": rows[-1]["closed"], "recv_last": max(row["recv"] for row in rows),
    }  # fmt: skip


def _joined(bars: Rows) -> Row:
    """Return the candle of shorter ones in their order."""
    found: Row = {name: bars[-1][name] for name in OF}
    found |= {name: total(bar[name] for bar in bars) for name in VOLUMES}
    return found | {
        "open": bars[0]["open"], "high": max(bar["high"] for bar in bars), "low": min(bar["low"] for bar in bars),
        "close": bars[-1]["close"], "minutes": sum(bar["minutes"] for bar in bars),
        "last_minute": max(bar["last_minute"] for bar in bars), "last_closed": bars[-1]["last_closed"],
        "recv_last": max(bar["recv_last"] for bar in bars),
    }  # fmt: skip


def _own(row: Row, minutes: int) -> Row:
    """Return the venue's own closed candle."""
    last = row["ts_event"] + (minutes - 1) * MINUTE
    names = (*OF, *VOLUMES, "open", "high", "low", "close")
    return {name: row[name] for name in names} | {
        "minutes": minutes, "last_minute": last, "last_closed": True, "recv_last": row["recv"],
    }  # fmt: skip


def _stored(bars: dict[int, Row], own: Rows, minutes: int) -> dict[int, Row]:
    """Put the venue's own closed candles where minutes are missing."""
    for row in own:
        if row["closed"] and bars.get(row["ts_event"], {}).get("minutes", 0) < minutes:
            bars[row["ts_event"]] = _own(row, minutes)
    return bars


@cache
def hours(facts: Facts, until: int) -> dict[Key, dict[int, Row]]:
    """Return every contract's hours out of minutes known at `until`, the venue's own candle where one is missing."""
    found = {}
    for own, rows in _candles(facts, "1m").items():
        by_hour = grouped(_known(rows, 0, until), lambda row: row["ts_event"] // HOUR * HOUR)
        found[own] = {hour: _bar(minutes) for hour, minutes in by_hour.items()}
    for own, rows in _candles(facts, "1h").items():
        found[own] = _stored(found.get(own, {}), rows, 60)
    return found


@cache
def days(facts: Facts, until: int) -> dict[Key, dict[int, Row]]:
    """Return every contract's days, out of hours, the venue's own candle where a minute is missing."""
    found = {}
    for own, bars in hours(facts, until).items():
        by_day = grouped(
            (bar | {"hour": hour} for hour, bar in sorted(bars.items())), lambda bar: bar["hour"] // DAY * DAY
        )
        found[own] = {day: _joined(of) for day, of in by_day.items()}
    for own, rows in _candles(facts, "1d").items():
        found[own] = _stored(found.get(own, {}), rows, 1440)
    return found


def _whole(bar: Row, start: int, length: int) -> bool:
    return bool(bar["last_closed"]) and bar["last_minute"] == start + length - MINUTE


END = 1 << 62


def prices_1h(facts: Facts, now: int) -> Rows:
    return [_flat(bar, own, hour, HOUR, "hour") for own, of in hours(facts, END).items() for hour, bar in of.items()]


def prices_1d(facts: Facts, now: int) -> Rows:
    return [_flat(bar, own, day, DAY, "day") for own, of in days(facts, END).items() for day, bar in of.items()]


def _flat(bar: Row, own: Key, start: int, length: int, name: str) -> Row:
    row = bar | {name: start, "venue": own[0], "symbol": own[1], "closed": _whole(bar, start, length)}
    del row["last_closed"]
    return row


def bars(facts: Facts, now: int, length: int, since: int) -> dict[Key, dict[int, Row]]:
    """Return every contract's bars from the one that holds `since` on."""
    found: dict[Key, dict[int, Row]] = {}
    if length % HOUR:
        for own, rows in _candles(facts, "1m").items():
            known = grouped(_known(rows, bucket(since, length), now), lambda row: bucket(row["ts_event"], length))
            found[own] = {start: _bar(minutes) for start, minutes in known.items()}
        return found
    for own, of in (days if length % DAY == 0 else hours)(facts, now).items():
        parts = ({"start": start, **bar} for start, bar in sorted(of.items()) if bucket(since, length) <= start <= now)
        found[own] = {
            start: _joined(own_) for start, own_ in grouped(parts, lambda bar: bucket(bar["start"], length)).items()
        }
    return found


def minutes(facts: Facts, now: int, length: int, since: int) -> Rows:
    return [bar | {"bar": start} for of in bars(facts, now, length, since).values() for start, bar in of.items()]


def price_hours(facts: Facts, now: int, since: int) -> Rows:
    return _since(hours(facts, now), now, since, HOUR, "hour")


def price_days(facts: Facts, now: int, since: int) -> Rows:
    return _since(days(facts, now), now, since, DAY, "day")


def since(facts: Facts, now: int, length: int, since: int) -> Rows:
    found = []
    for of in bars(facts, now, length, since).values():
        for start, bar in of.items():
            row = bar | {"bar": start, "bar_end": start + length}
            row["closed"] = start + length <= now and _whole(bar, start, length)
            del row["last_closed"], row["recv_last"]
            found.append(row)
    return found


def _since(bars_: dict[Key, dict[int, Row]], now: int, since: int, length: int, name: str) -> Rows:
    found = []
    for own, of in bars_.items():
        for start, bar in of.items():
            if since <= start <= now:
                row = _flat(bar, own, start, length, name)
                del row["recv_last"]
                found.append(row)
    return found


def _first(now: int, length: int, count: int) -> int:
    return now // length * length - (count - 1) * length


def price_bars(facts: Facts, now: int, instrument: str, length: int, since: int | None = None) -> Rows:
    since = _first(now, length, 300) if since is None else since
    found = []
    for own, of in bars(facts, now, length, since).items():
        contract = contracts(facts)[own]
        for start, bar in of.items():
            if contract.instrument == instrument:
                due = (min(start + length, now // MINUTE * MINUTE) - start) // MINUTE
                found.append(_per_coin(bar, own, contract.multiplier) | {
                    "bar": start, "bar_end": start + length, "minutes_due": due, "multiplier": contract.multiplier,
                    "closed": start + length <= now and _whole(bar, start, length),
                })  # fmt: skip
    return found


def _per_coin(bar: Row, own: Key, multiplier: int) -> Row:
    row = bar | {name: bar[name] / multiplier for name in ("open", "high", "low", "close")}
    row["volume_usd"] = bar["volume_quote"] if bar["quote"] in DOLLARS else None
    for name in ("last_closed", "recv_last", "settle"):
        del row[name]
    return row | {"venue": own[0], "symbol": own[1]}


def last_day(facts: Facts, now: int) -> Rows:
    found = []
    for own, rows in _candles(facts, "1m").items():
        if known := _known(rows, now - DAY, now):
            bar = _bar(known)
            row = _per_coin(bar, own, contracts(facts)[own].multiplier) | {"settle": bar["settle"]}
            row |= {
                "change_share": bar["close"] / bar["open"] - 1,
                "age_s": now // SECOND - bar["last_minute"] // SECOND,
                "most_of_day": bar["minutes"] * 5 >= 1440 * 4,
            }
            del row["taker_buy_base"], row["trades"]
            found.append(row)
    return found


def wilder(closes: list[float], n: int = 14) -> list[float | None]:
    """Return the RSI at each close: first averages are means of n changes, then avg = (avg * (n - 1) + x) / n."""
    steps = [after - before for before, after in pairwise(closes)]
    found: list[float | None] = [None] * min(n, len(closes))
    gain = loss = 0.0
    for k, step in enumerate(steps):
        if k < n:
            gain, loss = gain + max(step, 0) / n, loss + max(-step, 0) / n
        else:
            gain, loss = (gain * (n - 1) + max(step, 0)) / n, (loss * (n - 1) + max(-step, 0)) / n
        if k >= n - 1:
            found.append(100 - 100 / (1 + gain / loss) if loss else 100.0 if gain else 50.0)
    return found


def rsi(facts: Facts, now: int, instrument: str, length: int, n: int = 14, count: int = 500) -> Rows:
    found = []
    rows = price_bars(facts, now, instrument, length, _first(now, length, count))
    for own in grouped(rows, of_contract).values():
        own = sorted(own, key=lambda row: int(row["bar"]))
        names = ("bar", "bar_end", "venue", "symbol", "instrument", "base", "close", "closed")
        values = wilder([row["close"] for row in own], n)
        for k, (row, value) in enumerate(zip(own, values, strict=True)):
            found.append({name: row[name] for name in names} | {"rsi": value, "changes": k, "settled": k >= 10 * n})
    return found


def rsi_current(facts: Facts, now: int) -> Rows:
    found = []
    for name, length in INTERVALS.items():
        for own, of in bars(facts, now, length, now - 160 * length).items():
            starts = sorted(of)
            values = dict(
                zip(starts, wilder([of[s]["close"] / contracts(facts)[own].multiplier for s in starts]), strict=True)
            )
            over = [k for k, s in enumerate(starts) if s + length <= now and _whole(of[s], s, length)]
            if starts:
                last = starts[over[-1]] if over else None
                found.append({
                    "venue": own[0], "symbol": own[1], "instrument": contracts(facts)[own].instrument,
                    "base": contracts(facts)[own].base, "interval": name, "bar": last,
                    "rsi": values[last] if last is not None else None, "rsi_now": values[starts[-1]],
                    "close": of[starts[-1]]["close"] / contracts(facts)[own].multiplier,
                    "changes": over[-1] if over else None, "settled": bool(over) and over[-1] >= 140,
                    "bars_missing": (starts[-1] - starts[0]) // length + 1 - len(starts),
                })  # fmt: skip
    return found
