"""What is printed of the further venues: each client's differences to us, and who is right."""

from typing import NamedTuple

from tests.foreign.compare import Reader
from tests.foreign.further.clients import SOURCES, Source
from tests.foreign.further.compare import BY_REPORT, TABLES, Joined, Key, Pair, join, lost
from tests.foreign.further.explanations import UNHEARD, UNREAD, explanation_of
from tests.foreign.live import Run
from tests.foreign.ours import rows_of
from tests.foreign.report import Difference, table, text_of


class Received(NamedTuple):
    """Of a client and a venue: liquidations shown by the market, in its frames, and read by us of them.

    `missing`: what is in none of its frames; `why`: the known reasons; `unknown`: what none of them explains.
    """

    source: Source
    shown: int
    received: int
    rows: int
    missing: list[Key]
    why: str
    unknown: list[str]


class Findings(NamedTuple):
    """`agreed`: client, venue, field and how many values, all the same."""

    received: list[Received]
    differences: list[Difference]
    agreed: list[tuple[str, str, str, int]]
    wrong: list[str]

    @property
    def unexplained(self) -> list[str]:
        """Everything that should not be: a difference or loss without a known reason, and anything that we read wrong."""
        unknown = [f"{one.source.client} {one.source.venue}: {each}" for one in self.received for each in one.unknown]
        return unknown + self.wrong + [str(one) for one in self.differences if not one.why]


def findings(run: Run, read: Reader = rows_of) -> Findings:
    """Join every client of a run to our rows, as `read` reads them."""
    received, pairs, wrong = list[Received](), list[Pair](), list[str]()
    for source in SOURCES:
        if source.client not in run.heard:
            continue
        joined = join(run, source, read)
        pairs += joined.pairs
        wrong += [f"{source.client} {source.venue}: {one}" for one in joined.wrong]
        received.append(_received(run, source, joined))
    return Findings(received, *_grouped(pairs), wrong)


def _received(run: Run, source: Source, joined: Joined) -> Received:
    known = [one for one in UNHEARD if (one.client, one.venue) == source[:2]]
    markets = {market for one in known for market in one.markets}
    missing, added = lost(run, source, joined.sent)
    unknown = [f"not received {one}" for one in missing if run.contracts[source.venue, one[0]].market not in markets]
    unknown += [f"sent and not shown {one}" for one in added]
    errors = [one.error for one in run.heard[source.client] if one.venue == source.venue and one.error]
    unknown += [one for one in errors if not any(each.error and each.error in one for each in known)]
    shown = sum(one.venue == source.venue for one in run.shown)
    rows = sum(row["table"] == TABLES[source.venue in BY_REPORT] for row in joined.rows)
    came = sum(one.counts for one in joined.sent)
    return Received(source, shown, came, rows, missing, "; ".join(one.why for one in known), unknown)


def _grouped(pairs: list[Pair]) -> tuple[list[Difference], list[tuple[str, str, str, int]]]:
    compared: dict[tuple[str, str, str], int] = {}
    found: dict[tuple[str, ...], Difference] = {}
    for pair in pairs:
        place = pair[:3]
        compared[place] = compared.get(place, 0) + 1
        if pair.differs:
            known = explanation_of(pair)
            right, why = (known.right, known.why) if known else ("?", "")
            first = Difference(*place, 0, 0, pair.sent.symbol, pair.ours, pair.theirs, right, why)
            before = found.get((*place, why), first)
            found[*place, why] = before._replace(count=before.count + 1)
    differences = [one._replace(compared=compared[one[:3]]) for one in sorted(found.values(), key=lambda one: one[:3])]
    other = {one[:3] for one in differences}
    return differences, [(*place, count) for place, count in sorted(compared.items()) if place not in other]


def tables(found: Findings) -> str:
    """Return the tables of a run as text."""
    how = {True: "socket", False: "REST"}
    places = dict.fromkeys(place[:2] for place in found.agreed)
    return "\n\n".join((
        table(("client", "venue", "by", "shown by the market", "in its frames", "read by us", "why not all"),
              [(*one.source[:2], how[one.source.streamed], one.shown, one.received, one.rows, one.why)
               for one in found.received]),
        table(("client", "venue", "field", "differ", "of", "for instance", "ours", "theirs", "right", "why"),
              [(*one[:6], text_of(one.ours), text_of(one.theirs), one.right, one.why or "NOT EXPLAINED")
               for one in found.differences]),
        table(("client", "venue", "the same in all values"),
              [(*at, ", ".join(f"{field} ({count})" for *place, field, count in found.agreed if tuple(place) == at))
               for at in places]),
        table(("venue", "why no client reads its liquidations"), sorted(UNREAD.items())),
    ))  # fmt: skip
