"""Open interest views. One side: what counts both is halved by `liq parse`."""

from functools import cache, partial

from tests.day.facts import HOUR, SECOND, Facts, Row, Rows
from tests.day.figures import prices
from tests.day.figures.arithmetic import grouped, highest, latest, listed, lowest, ratio, total
from tests.day.figures.contracts import DOLLARS, contracts
from tests.day.figures.prices import of_contract

Contract = tuple[str, str]
FOREVER = 1 << 62


@cache
def _by_contract(facts: Facts, table: str) -> dict[Contract, Rows]:
    rows = facts.marks if table == "marks" else facts.open_interest
    known = (row for row in rows if table != "marks" or row["mark_price"] is not None)
    return grouped(sorted(known, key=lambda row: int(row["ts_event"])), of_contract)


def valued(row: Row, mark: float | None) -> Row:
    """Return coins and USD of a value: the venue's own, else each from the other at the mark price, of dollar contracts."""
    dollars = mark if row["quote"] in DOLLARS else None
    base, usd = row["oi_base"], row["oi_usd"]
    return {
        "oi_base": base if base is not None else None if usd is None or not dollars else usd / dollars,
        "oi_usd": usd if usd is not None else None if base is None or dollars is None else base * dollars,
        "usd_from": "venue" if usd is not None else "mark" if base is not None and dollars is not None else None,
    }


@cache
def at(facts: Facts, moment: int, hours: int = 1) -> Rows:
    """Return each contract's value at a moment: the last live one of the hour before, else the last of all of the hours."""
    marks = latest(
        (r for r in facts.marks if moment - HOUR < r["ts"] <= moment and r["ts_event"] <= moment
         and r["mark_price"] is not None), of_contract,
    )  # fmt: skip
    before = (r for r in facts.open_interest if moment - hours * HOUR < r["ts"] <= moment and r["ts_event"] <= moment)
    found = []
    for own, rows in grouped(before, of_contract).items():
        live = [row for row in rows if row["period"] is None and row["ts"] > moment - HOUR]
        row = max(live or rows, key=lambda row: (int(row["ts_event"]), row["period"] is None))
        mark = marks.get(own, {}).get("mark_price")
        names = ("venue", "symbol", "instrument", "base", "quote", "settle", "contract", "oi_raw", "oi_unit", "sides")
        age = moment // SECOND - row["ts_event"] // SECOND
        found.append(
            {name: row[name] for name in names} | valued(row, mark)
            | {"mark_price": mark, "ts_event": row["ts_event"], "age_s": age}
        )  # fmt: skip
    return found


def current(facts: Facts, now: int) -> Rows:
    return [row | {"stale": row["age_s"] > 3600} for row in at(facts, now, 24)]


def fresh(facts: Facts, now: int) -> dict[Contract, Row]:
    """Return the current values that are at most an hour old."""
    return {of_contract(row): row for row in current(facts, now) if not row["stale"]}


def _sums(rows: Rows) -> Row:
    inside = [row for row in rows if not row["stale"] and row["oi_usd"] is not None]
    outside = [row for row in rows if row["stale"] or row["oi_usd"] is None]
    return {
        "oi_usd": total(row["oi_usd"] for row in inside), "oi_base": total(row["oi_base"] for row in inside),
        "sides": listed(row["sides"] for row in inside), "venues": listed(row["venue"] for row in inside),
        "venues_left_out": listed(row["venue"] for row in outside), "contracts": len(inside),
        "contracts_stale": sum(row["stale"] for row in rows),
        "contracts_unpriced": sum(not row["stale"] and row["oi_usd"] is None for row in rows),
        "oldest_age_s": highest(row["age_s"] for row in inside),
    }  # fmt: skip


def _by(facts: Facts, now: int, names: tuple[str, ...], of: tuple[str, ...], without: tuple[str, ...] = ()) -> Rows:
    rows = current(facts, now)
    whole = {own: _sums(each)["oi_usd"] for own, each in grouped(rows, lambda r: tuple(r[n] for n in of)).items()}
    found = []
    for own, each in grouped(rows, lambda row: tuple(row[name] for name in names)).items():
        key, sums = dict(zip(names, own, strict=True)), _sums(each)
        row = key | sums | {"share": ratio(sums["oi_usd"], whole[tuple(key[name] for name in of)])}
        found.append({name: value for name, value in row.items() if name not in without})
    return found


by_coin = partial(_by, names=("base",), of=())
by_venue = partial(_by, names=("base", "venue"), of=("base",), without=("venues", "venues_left_out"))
by_margin = partial(_by, names=("base", "contract", "settle"), of=("base",))


def change(facts: Facts, now: int) -> Rows:
    found = []
    for hours in (1, 4, 24):
        then = {of_contract(row): row for row in at(facts, now - hours * HOUR)}
        for row in at(facts, now):
            if (before := then.get(of_contract(row))) is not None:
                found.append(_changed(row, before) | {"hours": hours})
    return found


def _changed(row: Row, before: Row) -> Row:
    names = ("venue", "symbol", "instrument", "base", "quote", "settle", "contract")
    base, usd = _less(row["oi_base"], before["oi_base"]), _less(row["oi_usd"], before["oi_usd"])
    price = ratio(before["oi_usd"], before["oi_base"])
    positions = None if base is None or price is None else base * price
    return {name: row[name] for name in names} | {
        "oi_base_then": before["oi_base"], "oi_base": row["oi_base"], "change_base": base,
        "change_base_share": ratio(base, before["oi_base"]), "oi_usd_then": before["oi_usd"], "oi_usd": row["oi_usd"],
        "change_usd": usd, "change_usd_share": ratio(usd, before["oi_usd"]), "change_usd_positions": positions,
        "change_usd_price": _less(usd, positions), "ts_then": before["ts_event"], "ts_now": row["ts_event"],
    }  # fmt: skip


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


@cache
def change_by_coin(facts: Facts, now: int) -> Rows:
    found = []
    for (base, hours), rows in grouped(change(facts, now), lambda row: (row["base"], row["hours"])).items():
        whole = [row for row in rows if row["change_base"] is not None and row["change_usd"] is not None]
        names = ("oi_base_then", "oi_base", "change_base", "oi_usd_then", "oi_usd", "change_usd",
                 "change_usd_positions", "change_usd_price")  # fmt: skip
        sums = {name: total(row[name] for row in whole) for name in names}
        found.append({
            "base": base, "hours": hours, **sums, "change_base_share": ratio(sums["change_base"], sums["oi_base_then"]),
            "change_usd_share": ratio(sums["change_usd"], sums["oi_usd_then"]),
            "venues": listed(row["venue"] for row in whole), "contracts": len(whole),
            "contracts_left_out": len(rows) - len(whole),
        })  # fmt: skip
    return found


def values(facts: Facts, now: int, since: int, until: int, instrument: str = "") -> Rows:
    """Return every stored value with ts in [since, until)."""
    return [
        {name: value for name, value in row.items() if name != "ts"}
        for row in _valued(facts)
        if instrument in ("", row["instrument"]) and since <= row["ts"] < until
    ]


@cache
def _valued(facts: Facts) -> Rows:
    """Return every stored value, valued at the last mark at most an hour older."""
    names = ("venue", "symbol", "instrument", "base", "quote", "settle", "contract", "sides", "oi_raw", "oi_unit",
             "period", "ts_event", "ts")  # fmt: skip
    found = []
    for own, rows in _by_contract(facts, "open_interest").items():
        marks, place = _by_contract(facts, "marks").get(own, []), -1
        for row in rows:
            while place + 1 < len(marks) and marks[place + 1]["ts_event"] <= row["ts_event"]:
                place += 1
            near = place >= 0 and marks[place]["ts_event"] >= row["ts_event"] - HOUR
            mark = marks[place]["mark_price"] if near else None
            both = valued(row, mark)
            del both["usd_from"]
            found.append({name: row[name] for name in names} | both | {"mark": mark, "ts_recv": row["recv"]})
    return found


def _candle(rows: Rows) -> Row:
    """Return the candle of values; of one instant the live one opens or closes it."""
    opening = sorted(rows, key=lambda row: (int(row["ts_event"]), row["period"] is not None))
    closing = sorted(rows, key=lambda row: (-int(row["ts_event"]), row["period"] is not None))
    found: Row = {"samples": len(rows), "first_ts": opening[0]["ts_event"], "last_ts": closing[0]["ts_event"]}
    for measure in ("base", "usd"):
        first, last = (
            [row[f"oi_{measure}"] for row in rows if row[f"oi_{measure}"] is not None] for rows in (opening, closing)
        )
        parts = (first[0], max(first), min(first), last[0]) if first else (None,) * 4
        found |= {f"{name}_{measure}": part for name, part in zip(("open", "high", "low", "close"), parts, strict=True)}
    return found


@cache
def hours(facts: Facts, until: int = 1 << 62) -> Rows:
    """Return the rows of open_interest_1h."""
    names = ("venue", "symbol", "instrument", "base", "quote", "settle", "contract", "sides")
    return [
        {"hour": hour, **{name: rows[-1][name] for name in names}, **_candle(rows),
         "recv_last": max(row["ts_recv"] for row in rows)}
        for (hour, *_), rows in grouped(
            values(facts, 0, 0, until), lambda row: (row["ts_event"] // HOUR * HOUR, *of_contract(row))
        ).items()
    ]  # fmt: skip


def bars(facts: Facts, now: int, instrument: str, length: int, since: int) -> Rows:
    names = ("venue", "symbol", "instrument", "base", "contract", "settle", "sides")
    rows = (row for row in values(facts, now, since // length * length, now + 1, instrument) if row["ts_event"] <= now)
    return [
        {"bar": bar, **{name: own[-1][name] for name in names}, **_candle(own), "closed": bar + length <= now}
        for (bar, *_), own in grouped(rows, lambda r: (r["ts_event"] // length * length, *of_contract(r))).items()
    ]


def history(facts: Facts, now: int, coin: str, length: int, since: int) -> Rows:
    """Return the coin's sums of each contract's last value in a bar, from hours that are over."""
    over = [r for r in hours(facts) if since // length * length <= r["hour"] <= now - HOUR and r["base"] == coin]
    found = []
    for bar, rows in grouped(over, lambda row: row["hour"] // length * length).items():
        closes = [
            _priced(facts, max(own, key=lambda row: int(row["hour"]))) for own in grouped(rows, of_contract).values()
        ]
        closes = [row for row in closes if row["close_usd"] is not None and row["close_base"] is not None]
        found.append({
            "bar": bar, "base": coin, "oi_usd": total(row["close_usd"] for row in closes),
            "oi_base": total(row["close_base"] for row in closes),
            "linear_usd": total(row["close_usd"] for row in closes if row["contract"] == "linear"),
            "inverse_usd": total(row["close_usd"] for row in closes if row["contract"] == "inverse"),
            "sides": listed(row["sides"] for row in closes), "venues": listed(row["venue"] for row in closes),
            "contracts": len(closes), "contracts_priced": sum(row["priced"] for row in closes),
            "closed": bar + length <= now,
        })  # fmt: skip
    return found


def _priced(facts: Facts, row: Row) -> Row:
    """Return an hour's close with coins and USD, each from the other at the hour's last trade price where one is missing."""
    price = prices.hours(facts, FOREVER).get(of_contract(row), {}).get(row["hour"])
    per_coin = price and price["close"] / contracts(facts)[of_contract(row)].multiplier
    both = valued({"oi_base": row["close_base"], "oi_usd": row["close_usd"], "quote": row["quote"]}, per_coin)
    closes = {"close_base": both["oi_base"], "close_usd": both["oi_usd"]}
    return row | closes | {"priced": row["close_base"] is None or row["close_usd"] is None}


def to_volume(facts: Facts, now: int) -> Rows:
    """Return open interest against volume, of the contracts that have both."""
    held, traded = fresh(facts, now), {of_contract(row): row for row in prices.last_day(facts, now)}
    pairs = [(held.get(own, {}), traded.get(own, {})) for own in held.keys() | traded.keys()]
    found = []
    for base, rows in grouped(({"held": h, "traded": t} for h, t in pairs), _base).items():
        known = [r for r in rows if r["traded"].get("volume_usd") is not None and r["traded"]["most_of_day"]]
        both = [r for r in known if r["held"].get("oi_usd") is not None]
        usd, volume = total(row["held"]["oi_usd"] for row in both), total(row["traded"]["volume_usd"] for row in both)
        found.append({
            "base": base, "oi_usd": usd, "volume_24h_usd": volume, "oi_to_volume": ratio(usd, volume),
            "venues": listed(row["held"]["venue"] for row in both), "contracts": len(both),
            "contracts_left_out": len(rows) - len(both), "minutes": lowest(row["traded"]["minutes"] for row in both),
        })  # fmt: skip
    return found


def _base(row: Row) -> str:
    return str((row["held"] or row["traded"])["base"])
