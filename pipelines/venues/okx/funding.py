"""OKX funding, pushed or asked for: the running estimate, and the rate that was settled last. Facts: exchanges/okx.md §3.

A rate is of the cycle that ends when it is settled. A frame has the cycle that runs, from `prevFundingTime` to
`fundingTime`, and not the one that ended at `prevFundingTime`, which may have been longer or shorter. So what earlier frames
said of that one is held, by symbol and for all sessions alike; what was not heard has no interval, until an answer with the
history of the contract completes it.
"""

from collections.abc import Iterable

import msgspec

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, FundingSettlement, Row
from pipelines.venues.okx.items import Arg, read_data
from pipelines.venues.venue import Kept
from pipelines.venues.wire import Held, horizon_ms, later, moment, nothing, number

HOUR_MS = 3_600_000
HELD = "okx funding"
"""What is held lies under this name in the place of a session."""
CYCLES = 3


class _Funding(msgspec.Struct):
    instId: str
    fundingTime: str  # the settlement that fundingRate is for
    fundingRate: str = ""
    nextFundingTime: str = ""
    prevFundingTime: str = ""
    settState: str = ""
    settFundingRate: str = ""
    ts: str = ""  # pushes before 2023 have none


Cycles = dict[int, float]
"""The last cycles of a contract: when each ends (UTC ms), and its length in hours."""

_funding = msgspec.json.Decoder(_Funding).decode


def funding_rates(frame: RawFrame, held: Held) -> list[Row]:
    """Return the running estimate for `fundingTime`, and the rate settled before it where the push tells when."""
    horizon, received = horizon_ms(frame), frame.at_ns // 1_000_000

    def read(arg: Arg, item: _Funding) -> Iterable[Row]:
        if not item.ts and not received:
            return nothing("a push without time stamp (before 2023), and when it was received is not known")
        cycles: Cycles = held.setdefault((HELD, item.instId), {})
        time = moment(item.ts, horizon) if item.ts else received
        return _funded(item, time, horizon, cycles) or nothing("a push without a rate")

    return read_data(frame, _funding, read)


def _funded(item: _Funding, time: int, horizon: int, cycles: Cycles) -> list[Row]:
    rows: list[Row] = []
    before, due, after = (
        later(time or None) for time in (item.prevFundingTime, item.fundingTime, item.nextFundingTime)
    )
    hours = _hours(before, due) or _hours(due, after)
    if item.fundingRate:
        rows.append(FundingRate(item.instId, time, number(item.fundingRate), due, hours))
    if item.settState == "settled" and item.settFundingRate and before:
        settled = moment(before, horizon)
        rows.append(FundingSettlement(item.instId, settled, number(item.settFundingRate), cycles.get(before)))
    if item.fundingRate and due and hours:
        cycles[due] = hours
        for old in sorted(cycles)[:-CYCLES]:
            del cycles[old]
    return rows


def _hours(since: int | None, until: int | None) -> float | None:
    return (until - since) / HOUR_MS if since and until and until > since else None


LAST = f"""
SELECT '{HELD}', symbol, list(DISTINCT {{'due': epoch_ms(next_funding_ts), 'hours': interval_hours}})
FROM funding_rates
WHERE venue = 'okx' AND ts_event > $since AND ts_event <= coalesce($until, TIMESTAMP 'infinity')
    AND next_funding_ts IS NOT NULL AND interval_hours IS NOT NULL
GROUP BY symbol
"""
NEWEST = "SELECT max(ts_event) FROM funding_rates WHERE venue = 'okx'"


def _cycles(_symbol: str, told: list[dict[str, float]]) -> Cycles:
    dues = {int(one["due"]): one["hours"] for one in told}
    return {due: dues[due] for due in sorted(dues)[-CYCLES:]}


FUNDING = Kept(LAST, NEWEST, _cycles, by_session=False)
