"""Quality views: what came, what was missed, what was left out."""

from collections.abc import Iterator
from functools import cache
from itertools import groupby

from tests.day.facts import DAY, HOUR, MINUTE, SECOND, Facts, Frame, Row, Rows
from tests.day.figures.arithmetic import any_true, grouped, latest, listed, ratio, total
from tests.day.figures.coverage import minutes

EVENTS = "collector.events"
BEGAN = "collection began"
STATES = ("", "LIVE", "SUSPECT", "SILENT")


def feed_coverage(facts: Facts, now: int) -> Rows:
    return [row | {"hour": row["minute"] // HOUR * HOUR} for row in minutes(facts)]


def feed_gaps(facts: Facts, now: int) -> Rows:
    """Return each run of minutes not heard whole; those in which collection began apart from what was lost after them."""
    names = ("venue", "channel", "transport", "topic")
    known = (row for row in minutes(facts) if now - 30 * DAY < row["minute"] <= now)
    found = []
    for own, rows in grouped(known, lambda row: tuple(row[name] for name in names)).items():
        for (gap, _), run in groupby(rows, lambda row: (row["connected_share"] < 1, row["gap_reason"] == BEGAN)):
            inside = list(run)
            if gap:
                found.append(dict(zip(names, own, strict=True)) | {
                    "start": inside[0]["minute"], "end": inside[-1]["minute"] + MINUTE,
                    "missing_s": total((1 - row["connected_share"]) * 60 for row in inside),
                    "reason": inside[0]["gap_reason"], "repaired": all(row["repaired"] for row in inside),
                    "ongoing": inside[-1] is rows[-1],
                    "state": max((row["state"] or "" for row in inside), key=STATES.index) or None,
                })  # fmt: skip
    return found


def feed_states(facts: Facts, now: int) -> Rows:
    """Return the state of each liquidation channel in its last minute, and since when it is in it."""
    own = (row for row in minutes(facts) if row["carries_liquidations"] and now - 7 * DAY < row["minute"] <= now)
    found = []
    for (venue, channel), rows in grouped(own, lambda row: (row["venue"], row["channel"])).items():
        last, others = rows[-1], [row["minute"] for row in rows if row["state"] != rows[-1]["state"]]
        found.append({
            "venue": venue, "channel": channel, "state": last["state"], "reason": last["state_reason"],
            "since": max(others) + MINUTE if others else rows[0]["minute"],
            "last_heard": max((row["minute"] for row in rows if row["rows"]), default=None),
            "measured_until": last["minute"] + MINUTE,
        })  # fmt: skip
    return found


def liquidation_coverage_by_hour(facts: Facts, now: int) -> Rows:
    classes = grouped(facts.liquidations, lambda row: (row["ts_event"] // HOUR * HOUR, row["venue"]))
    known = [
        r for r in minutes(facts) if r["carries_liquidations"] and now // HOUR * HOUR - 30 * DAY <= r["minute"] <= now
    ]
    measured, found = max(row["minute"] for row in known) + MINUTE, []
    for (hour, venue, channel), rows in grouped(
        known, lambda row: (row["minute"] // HOUR * HOUR, row["venue"], row["channel"])
    ).items():
        due = (min(hour + HOUR, measured) - hour) // MINUTE
        share = ratio(total(1.0 if row["repaired"] else row["connected_share"] for row in rows), due)
        completeness = listed(row["completeness"] for row in classes[hour, venue])
        gaps = [row for row in rows if row["connected_share"] < 1]
        contract_seconds = sum(row["contract_seconds"] for row in rows)
        saturated = sum(row["saturated_seconds"] for row in rows)
        not_all = None if completeness is None else completeness != "all"
        found.append({
            "hour": hour, "venue": venue, "channel": channel, "completeness": completeness, "coverage_share": share,
            "suspect_share": 0.0,
            "saturated_share": ratio(saturated, contract_seconds), "rows": sum(row["rows"] for row in rows),
            "lower_bound": any_true(share is not None and share < 1, not_all), "contract_seconds": contract_seconds,
            "saturated_seconds": saturated, "gap_minutes": len(gaps),
            "repaired": all(row["repaired"] for row in gaps) if gaps else None,
        })  # fmt: skip
    return found


def dead_letters_summary(facts: Facts, now: int) -> Rows:
    offsets: dict[str, int] = {}
    at = {}
    for place, frame in enumerate(facts.frames):
        at[place] = offsets[frame.topic] = offsets.get(frame.topic, -1) + 1
    items = [
        {"frame": place, "of": facts.frames[place], "reason": reason, "recv": facts.frames[place].recv_ns // 1000}
        for place, reason in facts.dead
    ]
    found = []
    for (venue, channel, reason), rows in grouped(
        (row for row in items if row["recv"] <= now), lambda row: (row["of"].venue, row["of"].channel, row["reason"])
    ).items():
        last = max(rows, key=lambda row: int(row["recv"]))
        found.append({
            "venue": venue, "channel": channel, "reason": reason, "items": len(rows),
            "frames": len({row["frame"] for row in rows}), "last_24h": sum(row["recv"] > now - DAY for row in rows),
            "first": min(row["recv"] for row in rows), "last": last["recv"], "kafka_topic": last["of"].topic,
            "kafka_partition": 0, "kafka_offset": at[last["frame"]],
        })  # fmt: skip
    return found


def duplicates_dropped(facts: Facts, now: int) -> Rows:
    """Return what was told twice; over all commits of the test, whose days are those of its own clock."""
    _ = facts.liquidations, facts.settlements, facts.klines, facts.ratios, facts.open_interest
    return [{"table": table, "rows": rows} for table, rows in facts.repeated.items()]


@cache
def _sessions(facts: Facts) -> dict[str, list[tuple[int, Frame]]]:
    found: dict[str, list[tuple[int, Frame]]] = {}
    for place, frame in enumerate(facts.frames):
        if frame.topic != EVENTS:
            found.setdefault(frame.session, []).append((place, frame))
    return found


def frames_accounted(facts: Facts, now: int) -> Rows:
    told = grouped(facts.events, lambda event: event["session"])
    dead = {place for place, _ in facts.dead}
    found = []
    for session in told.keys() | _sessions(facts).keys():
        frames, events = _sessions(facts).get(session, []), told[session]
        seqs = [frame.seq for _, frame in frames]
        highest = max([*seqs, *(event["frames"] for event in events)], default=0)
        received = [frame.recv_ns // 1000 for _, frame in frames]
        empty, unread = sum(place in facts.empty for place, _ in frames), sum(place in dead for place, _ in frames)
        ended = any(event["event"] in ("disconnected", "stopped") for event in events)
        last_sign = max([*received, *(event["ts_ns"] // 1000 for event in events)])
        missing = len(set(range(1, highest + 1)) - set(seqs))
        found.append({
            "venue": events[0]["venue"], "session": session, "transport": events[0]["transport"],
            "state": "ended" if ended else "killed" if last_sign < now - 90 * SECOND else "running",
            "ended": ended, "highest_seq": highest,
            "collector_frames": max(event["frames"] for event in events), "frames": len(seqs),
            "missing": missing, "dropped": 0, "duplicates": len(seqs) - len(set(seqs)), "received_again": 0,
            "whole": missing == 0 if ended else None,
            "frames_with_rows": len(seqs) - empty - unread, "frames_without_rows": empty, "frames_dead": unread,
            "recv_first": min(received, default=None), "recv_last": max(received, default=None), "last_sign": last_sign,
        })  # fmt: skip
    return found


def frame_numbers(facts: Facts, now: int) -> Rows:
    """Return each stretch of numbers stored equally often, and when the frames at the nearest edges of what is stored came."""
    fates = {0: "missing", 1: "stored"}
    found = []
    for row in frames_accounted(facts, now):
        came = grouped(_sessions(facts).get(row["session"], []), lambda each: each[1].seq)
        copies = [0, *(len(came.get(seq, ())) for seq in range(1, row["highest_seq"] + 1)), 0]
        at = {seq: frames[0][1].recv_ns // 1000 for seq, frames in came.items()}
        numbers = range(1, row["highest_seq"] + 1)
        falls, rises = ([seq for seq in numbers if copies[seq] > copies[seq + step]] for step in (1, -1))
        for count, run in groupby(numbers, lambda seq, copies=copies: copies[seq]):
            inside = list(run)
            before = max((seq for seq in falls if seq < inside[0]), default=0)
            after = min((seq for seq in rises if seq > inside[-1]), default=0)
            found.append({
                "venue": row["venue"], "session": row["session"], "seq_from": inside[0], "seq_to": inside[-1],
                "frames": len(inside), "fate": fates.get(count, "stored more than once"), "copies": count, "reason": None,
                "recv_before": at.get(before), "recv_after": at.get(after),
            })  # fmt: skip
    return found


def frames_by_venue(facts: Facts, now: int) -> Rows:
    found = []
    sums = ("frames", "missing", "dropped", "duplicates", "received_again", "frames_with_rows", "frames_without_rows",
            "frames_dead")  # fmt: skip
    for venue, rows in grouped(frames_accounted(facts, now), lambda row: row["venue"]).items():
        found.append({name: sum(row[name] for row in rows) for name in sums} | {
            "venue": venue, "sessions": len(rows), "running": sum(row["state"] == "running" for row in rows),
            "killed": sum(row["state"] == "killed" for row in rows), "whole": _of_all([row["whole"] for row in rows]),
            "frames_received": sum(row["highest_seq"] for row in rows),
            "liquidations": sum(row["venue"] == venue for row in facts.liquidations),
            "recv_first": min(row["recv_first"] for row in rows if row["recv_first"] is not None),
            "recv_last": max(row["recv_last"] for row in rows if row["recv_last"] is not None),
        })  # fmt: skip
    return found


def _of_all(complete: list[bool | None]) -> bool | None:
    return False if False in complete else None if None in complete else True


def side_sanity(facts: Facts, now: int) -> Rows:
    known = [row for row in facts.marks if row["mark_price"] is not None and row["ts"] <= now]
    marks = latest(known, lambda row: (row["venue"], row["symbol"], row["ts"]))
    days: dict[tuple[str, int], dict[tuple[str, int], int]] = {}
    for row in facts.liquidations:
        minute = row["ts_event"] // MINUTE * MINUTE
        here, before = (marks.get((row["venue"], row["symbol"], at)) for at in (minute, minute - MINUTE))
        if not now - 7 * DAY < row["ts_event"] <= now:
            continue
        counts = days.setdefault((row["venue"], minute // DAY * DAY), {})
        if here and before:
            move = (here["mark_price"] > before["mark_price"]) - (here["mark_price"] < before["mark_price"])
            counts[row["position_side"], move] = counts.get((row["position_side"], move), 0) + 1
    return [_sanity(venue, day, counts) for (venue, day), counts in days.items()]


def _sanity(venue: str, day: int, counts: dict[tuple[str, int], int]) -> Row:
    found = {
        f"{side}s_{word}": counts.get((side, move), 0)
        for side in ("long", "short") for word, move in (("falling", -1), ("rising", 1))
    }  # fmt: skip
    counted = sum(found.values())
    share = ratio(found["longs_falling"] + found["shorts_rising"], counted)
    verdict = (
        "agrees"
        if share is not None and share >= 0.6
        else "inverted"
        if share is not None and share <= 0.4
        else "unclear"
    )
    return {"venue": venue, "day": day, "counted": counted, "share": share, **found,
            "verdict": "too few" if counted < 30 else verdict}  # fmt: skip


TRACE = ("kafka_topic", "kafka_partition", "kafka_offset", "session", "seq")
NULLABLE = {
    "liquidations": ("instrument", "base", "quote", "settle", "contract", "kind", "order_side", "position_side",
                     "price_raw", "price", "order_price", "qty_base", "notional_usd", "status", "metadata", "null_reason"),
    "funding_rates": ("instrument", "base", "quote", "settle", "interval_hours", "next_funding_ts"),
    "funding_settlements": ("instrument", "base", "quote", "settle", "interval_hours", "mark_price", "rate_type"),
    "open_interest": ("instrument", "base", "quote", "settle", "contract", "oi_base", "oi_usd", "period", "null_reason"),
    "mark_prices": ("instrument", "base", "quote", "settle", "mark_price", "index_price"),
    "klines": ("instrument", "base", "quote", "settle", "volume_base", "volume_quote", "taker_buy_base", "trades", "closed"),
    "long_short_ratios": ("instrument", "base", "period", "ratio", "long_share", "short_share", "long_volume",
                          "short_volume", "unit", "closed"),
    "dead_letters": ("channel", "symbol", "transport", "ts_recv", "session", "seq", "payload"),
    "collector_events": ("reason", "detail"),
    "instruments": ("listed_ts", "expiry_ts", "interval_hours"),
    "leverage_tiers": ("cap", "initial_margin_rate", "deduction", *TRACE),
}  # fmt: skip


def null_shares(facts: Facts, now: int) -> Rows:
    found = []
    for table, columns in NULLABLE.items():
        for venue, rows in grouped(_counted(facts, table, now), lambda row: row["venue"]).items():
            for column in columns:
                nulls = sum(row.get(column) is None for row in rows)
                found.append({"table": table, "venue": venue, "column": column, "rows": len(rows), "nulls": nulls,
                              "share": nulls / len(rows)})  # fmt: skip
    return found


def _counted(facts: Facts, table: str, now: int) -> Iterator[Row]:
    if table in ("instruments", "leverage_tiers"):
        yield from (row | dict.fromkeys(TRACE, "told") for row in facts.of(table))
        return
    if table == "collector_events":
        for event in facts.events:
            if now - DAY < event["ts_ns"] // 1000 <= now:
                yield event | {"detail": event["detail"] or None}
        return
    if table == "dead_letters":
        for place, _ in facts.dead:
            frame = facts.frames[place]
            if now - DAY < frame.recv_ns // 1000 <= now:
                yield dict.fromkeys(NULLABLE[table], "told") | {"venue": frame.venue}
        return
    time = "ts" if table in ("funding_rates", "open_interest", "mark_prices") else "ts_event"
    stored = {
        "liquidations": facts.liquidations, "funding_rates": facts.funding_rates,
        "funding_settlements": facts.settlements, "open_interest": facts.open_interest, "mark_prices": facts.marks,
        "klines": facts.klines, "long_short_ratios": facts.ratios,
    }[table]  # fmt: skip
    yield from (row for row in stored if now - DAY < row.get(time, row["ts_event"]) <= now)


def instruments_as_of(facts: Facts, now: int) -> Rows:
    names = (
        "venue", "symbol", "instrument", "base", "quote", "settle", "contract", "kind", "contract_size", "multiplier",
        "status", "family", "pays_funding", "asset_class", "listed_ts", "expiry_ts", "interval_hours",
    )  # fmt: skip
    found = []
    for rows in grouped(facts.of("instruments"), lambda row: (row["venue"], row["symbol"])).values():
        since = [max(row["recv"], before["recv"] + 1) for before, row in zip([{"recv": 0}, *rows], rows, strict=False)]
        for row, start, end in zip(rows, since, [*since[1:], None], strict=True):
            found.append({name: row[name] for name in names} | {
                "valid_from": start, "since": 0 if row is rows[0] else start, "valid_to": end, "is_current": end is None,
            })  # fmt: skip
    return found


def leverage_tiers_as_of(facts: Facts, now: int) -> Rows:
    names = ("venue", "symbol", "tier", "floor", "cap", "unit", "maintenance_margin_rate", "initial_margin_rate",
             "max_leverage", "deduction", "source")  # fmt: skip
    return [
        {name: row[name] for name in names} | {"valid_from": row["recv"], "valid_to": None, "is_current": True}
        for row in facts.of("leverage_tiers")
    ]
