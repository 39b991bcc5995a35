"""What is printed: every difference between the foreign clients and us, and the recorded lines right and wrong."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.foreign.compare import Joined, Pair, Reader, join, received_of
from tests.foreign.explanations import explanation_of
from tests.foreign.lines import LEGACY, Verdict
from tests.foreign.live import Run
from tests.foreign.ours import rows_of
from tests.foreign.sent import NOT_RECEIVED, RATES_NOT_RECEIVED

VENUES = ("binance", "bybit", "okx")


class Difference(NamedTuple):
    """One kind of difference: of `compared` values `count` differ so, for instance `ours` and `theirs` of `symbol`."""

    client: str
    venue: str
    field: str
    count: int
    compared: int
    symbol: str
    ours: Any
    theirs: Any
    right: str
    why: str


class Received(NamedTuple):
    """Liquidations of a venue: shown by the market, in frames the client received, read by us otherwise than shown.

    `rates`: of `perpetuals` contracts that pay funding so many had their rate compared; `silent` are the others.
    """

    client: str
    venue: str
    shown: int
    received: int
    missing: list[str]
    wrong: list[str]
    why: str
    rates: int
    perpetuals: int
    silent: list[str]
    why_silent: str


class Findings(NamedTuple):
    """`agreed`: fields in which every value of a client and venue was ours, and how many there were."""

    received: list[Received]
    differences: list[Difference]
    agreed: list[tuple[str, str, str, int]]
    wrong: list[str]

    @property
    def unexplained(self) -> list[str]:
        """Everything that should not be: differences and losses without a known reason, and anything we read wrong."""
        lost = [f"{r.client} {r.venue}: not received {r.missing}" for r in self.received if r.missing and not r.why]
        wrong = [f"{r.client} {r.venue}: we read otherwise than sent: {r.wrong}" for r in self.received if r.wrong]
        lost += [
            f"{r.client} {r.venue}: no funding of {r.silent}" for r in self.received if r.silent and not r.why_silent
        ]
        wrong += [f"we read otherwise than sent: {one}" for one in self.wrong]
        return lost + wrong + [str(one) for one in self.differences if not one.why]


def findings(run: Run, read: Reader = rows_of) -> Findings:
    """Join every client of a run to our rows, as `read` reads them."""
    received: list[Received] = []
    pairs: list[Pair] = []
    wrong: list[str] = []
    for client in run.heard:
        joined = join(run, client, read)
        pairs += joined.pairs
        wrong += joined.wrong
        for venue in VENUES:
            shown, came, missing, wrong = received_of(run, joined, venue)
            why = NOT_RECEIVED.get((client, venue), "") if not came else ""
            received.append(
                Received(client, venue, shown, came, missing, wrong, why, *_rates(run, joined, client, venue))
            )
    return Findings(received, *_grouped(pairs), wrong)


def _rates(run: Run, joined: Joined, client: str, venue: str) -> tuple[int, int, list[str], str]:
    paying = {
        symbol: contract for (of, symbol), contract in run.contracts.items() if of == venue and contract.interval_ms
    }
    compared = {
        pair.row.get("symbol") for pair in joined.pairs
        if (pair.venue, pair.field) == (venue, "funding rate") and pair.ours is not None and pair.theirs is not None
    }  # fmt: skip
    silent = sorted(paying.keys() - compared)
    inverse = {symbol for symbol, contract in paying.items() if contract.inverse}
    why = RATES_NOT_RECEIVED.get((client, venue), "") if inverse == set(silent) else ""
    return len(paying) - len(silent), len(paying), silent, why


def _grouped(pairs: Iterable[Pair]) -> tuple[list[Difference], list[tuple[str, str, str, int]]]:
    compared: dict[tuple[str, str, str], int] = {}
    found: dict[tuple[str, str, str, str], Difference] = {}
    for pair in pairs:
        place = (pair.client, pair.venue, pair.field)
        compared[place] = compared.get(place, 0) + 1
        if not pair.differs:
            continue
        known = explanation_of(pair)
        right, why = (known.right, known.why) if known else ("?", "")
        first = Difference(*place, 0, 0, pair.row.get("symbol", ""), pair.ours, pair.theirs, right, why)
        before = found.get((*place, why), first)
        found[*place, why] = before._replace(count=before.count + 1)
    differences = [one._replace(compared=compared[one[:3]]) for one in sorted(found.values(), key=lambda one: one[:3])]
    other = {one[:3] for one in differences}
    return differences, [(*place, count) for place, count in sorted(compared.items()) if place not in other]


def differences_table(found: Findings) -> str:
    """Return the tables of a run as text."""
    sections = [
        table(("client", "venue", "liquidations shown", "received", "read by us as sent", "why not"),
               [(r.client, r.venue, r.shown, r.received, r.received - len(r.wrong), r.why) for r in found.received]),
        table(("client", "venue", "contracts with funding", "rates received and compared", "why not"),
               [(r.client, r.venue, r.perpetuals, r.rates, r.why_silent) for r in found.received]),
        table(("client", "venue", "field", "differ", "of", "for instance", "ours", "theirs", "right", "why"),
               [(d.client, d.venue, d.field, d.count, d.compared, d.symbol, text_of(d.ours), text_of(d.theirs), d.right,
                 d.why or "NOT EXPLAINED") for d in found.differences]),
        table(("client", "venue", "the same in all values"),
               [(client, venue, ", ".join(f"{field} ({count})" for *place, field, count in found.agreed
                                          if place == [client, venue]))
                for client, venue in dict.fromkeys(place[:2] for place in found.agreed)]),
    ]  # fmt: skip
    return "\n\n".join(sections)


def lines_table(judged: dict[str, list[Verdict]]) -> str:
    """Return right and wrong of the recorded lines as text, with the counts."""
    names = list(judged)
    rows = [
        (verdict.line.venue, verdict.line.place, verdict.line.symbol,
         *(_verdict(judged[name][n]) for name in names))
        for n, verdict in enumerate(judged["ours"])
    ]  # fmt: skip
    return f"{table(('venue', 'line', 'symbol', *names), rows)}\n\n{lines_summary(judged)}"


def lines_summary(judged: dict[str, list[Verdict]]) -> str:
    """Return how many lines each client reads fully right, of all and of those since Bybit's v5 (2023)."""
    since = {name: [v for v in found if not v.line.place.startswith(LEGACY)] for name, found in judged.items()}
    return table(
        ("lines read fully right", f"of {len(judged['ours'])}", f"of {len(since['ours'])} without Bybit's v2"),
        [(name, _right(found), _right(since[name])) for name, found in judged.items()],
    )


def _verdict(verdict: Verdict) -> str:
    return "; ".join(verdict.wrong) or "right"


def _right(found: Sequence[Verdict]) -> int:
    return sum(not verdict.wrong for verdict in found)


def text_of(value: Any) -> str:
    """Return a value, numbers to ten digits."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows under their heads, in columns."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[n]) for row in texts) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )
