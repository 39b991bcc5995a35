"""/v1/data-feeds/EXCHANGE: the frames of some minutes as they came, each after its time; an empty line where none listened."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from pipelines.serve.archive.exchanges import Exchange
from pipelines.serve.asked import moment
from pipelines.serve.given import bad
from pipelines.serve.problems import ProblemError
from pipelines.serve.standing import iso
from warehouse.lake import Lake
from warehouse.query import run

KNOWN = ("from", "offset", "sliceSize", "filters")
MOST_MINUTES = 60
SUGGESTED = 10
MOST_OFFSET = 60 * 24 * 366
MINUTE = timedelta(minutes=1)
LINE_BYTES = 60
"""At most so many bytes of a line are not the frame's own."""
_FRAMES = """
    SELECT ts_recv, symbol, split_part(channel, '@', 1) AS channel, payload FROM raw_frames
    WHERE venue = $venue AND transport = 'ws' AND coalesce(source, 'live') = 'live' AND ts_recv >= $since AND ts_recv < $until
        AND (len($channels) = 0 OR list_contains($channels, split_part(channel, '@', 1)))
    ORDER BY ts_recv, session, seq
"""
_BREAKS = """
    WITH told AS (
        SELECT ts FROM collector_events
        WHERE venue = $venue AND transport = 'ws' AND event = 'disconnected' AND ts >= $since AND ts < $until
    ), missed AS (
        SELECT DISTINCT minute FROM feed_coverage
        WHERE venue = $venue AND transport = 'ws' AND connected_share < 1 AND minute >= $since AND minute < $until
            AND (len($channels) = 0 OR list_contains($channels, split_part(channel, '@', 1)))
    )
    SELECT ts FROM told UNION
    SELECT minute FROM missed WHERE NOT EXISTS (SELECT 1 FROM told WHERE date_trunc('minute', ts) = minute) ORDER BY 1
"""


class Slice(NamedTuple):
    """Whole minutes from `since` on. `filters`: symbols by channel, in large letters, empty: all; None: all channels."""

    since: datetime
    minutes: int
    filters: Mapping[str, frozenset[str]] | None

    @property
    def until(self) -> datetime:
        """Its end."""
        return self.since + self.minutes * MINUTE


def asked(query: Mapping[str, str]) -> Slice:
    """Return the minutes that are asked for. Raises ProblemError."""
    if "from" not in query:
        raise bad("from is needed, such as from=2026-11-01T00:00:00.000Z")
    first = moment(query["from"], "from").replace(second=0, microsecond=0)
    offset = _whole(query.get("offset", "0"), "offset", 0, MOST_OFFSET)
    try:
        since = first + offset * MINUTE
    except OverflowError:
        raise bad("from and offset are a time that is not") from None
    return Slice(
        since, _whole(query.get("sliceSize", "1"), "sliceSize", 1, MOST_MINUTES), _filters(query.get("filters"))
    )


Line = Callable[[datetime, bytes], bytes]
"""Writes a frame with its time as a line."""


def check(one: Exchange, wanted: Slice, data_to: datetime | None, details: Mapping[str, Any]) -> None:
    """Return where frames of these minutes can be told. `data_to`: up to where all is stored. Raises ProblemError."""
    first = details["availableSince"]
    if first is None or iso(wanted.until) <= first:
        raise bad(f"there are frames of {one.id} {f'from {first} on' if first else 'not yet'}")
    if data_to is None or wanted.until > data_to:
        raise bad(f"frames up to {iso(data_to)} are stored whole; ask again later")


class Frame(NamedTuple):
    """A frame as it came, at the broker's time. `payload` None: nobody listened."""

    ts: datetime
    payload: bytes | None


def frames(lake: Lake, one: Exchange, wanted: Slice, most: int) -> list[Frame]:
    """Return the frames of these minutes, and where nobody listened. `most`: bytes. Raises ProblemError."""
    given = {
        "venue": one.venue.name, "since": wanted.since, "until": wanted.until, "channels": list(wanted.filters or ()),
    }  # fmt: skip
    breaks = [Frame(row[0], None) for page in run(lake, _BREAKS, given).records() for row in page]  # type: ignore[arg-type]
    found, size = list[Frame](), 0
    for page in run(lake, _FRAMES, given).records():
        for ts, symbol, channel, payload in page:
            if not _is_asked(wanted, str(channel), str(symbol), payload) or not one.has(str(symbol), payload):  # type: ignore[arg-type]
                continue
            while breaks and breaks[0].ts <= ts:  # type: ignore[operator]
                found.append(breaks.pop(0))
            found.append(Frame(ts, payload))  # type: ignore[arg-type]
            size += len(payload) + LINE_BYTES  # type: ignore[arg-type]
            if size > most:
                raise ProblemError(
                    HTTPStatus.BAD_REQUEST, "more than the service sends at once: ask for a smaller sliceSize"
                )
    return found + breaks[:1]


def lines(lake: Lake, one: Exchange, wanted: Slice, most: int, line: Line) -> list[bytes]:
    """Return the frames as lines, an empty one where nobody listened, as `frames`."""
    return [b"\n" if each.payload is None else line(each.ts, each.payload) for each in frames(lake, one, wanted, most)]


def after_its_time(ts: datetime, payload: bytes) -> bytes:
    """Return a frame after its time, which has seven digits."""
    return f"{ts:%Y-%m-%dT%H:%M:%S.%f}0Z ".encode() + _on_one_line(payload) + b"\n"


def in_an_object(ts: datetime, payload: bytes) -> bytes:
    """Return a frame and its time as an object."""
    return f'{{"localTimestamp":"{ts:%Y-%m-%dT%H:%M:%S.%f}Z","message":'.encode() + _on_one_line(payload) + b"}\n"


def _on_one_line(payload: bytes) -> bytes:
    return payload.replace(b"\n", b" ").replace(b"\r", b" ")  # in JSON a space as well


def _is_asked(wanted: Slice, channel: str, symbol: str, payload: bytes) -> bool:
    symbols = wanted.filters.get(channel, frozenset()) if wanted.filters else frozenset()
    if not symbols:
        return True
    return symbol.upper() in symbols if symbol != "*" else any(f'"{each}"'.encode() in payload for each in symbols)


def _filters(text: str | None) -> dict[str, frozenset[str]] | None:
    if not text:
        return None
    try:
        return filters_of(orjson.loads(text))
    except orjson.JSONDecodeError:
        raise _wrong_filters() from None


def filters_of(given: Any) -> dict[str, frozenset[str]] | None:
    """Return symbols by channel, of a list of objects. Raises ProblemError."""
    try:
        found = {
            str(each["channel"]): frozenset(symbol.upper() for symbol in each.get("symbols") or ()) for each in given
        }
    except (TypeError, KeyError, AttributeError):
        raise _wrong_filters() from None
    return found or None


def _wrong_filters() -> ProblemError:
    return bad('filters are JSON such as [{"channel":"trade","symbols":["BTCUSD"]}]')


def _whole(text: str, name: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise bad(f"{name} is a whole number from {least} to {most}")
    return int(text)
