"""The faults there are, as data, and a plan of them: the same seed, number and time give the same plan."""

import random
from collections import Counter
from collections.abc import Container, Sequence
from typing import Literal, NamedTuple

VENUES = ("binance", "bybit", "okx")
LIQUIDATIONS = {"binance": "forceOrder", "bybit": "allLiquidation", "okx": "liquidation-orders"}
POLLS = {"okx": "liquidation-orders@filled"}
"""The channels that bring the same by request."""
TICKING = {"binance": "markPrice", "bybit": "tickers", "okx": "mark-price"}
HTTP = {"binance": ("http_429", "http_403", "http_500"), "bybit": ("http_10006", "http_403", "http_500"),
        "okx": ("http_50011", "http_429", "http_500")}  # fmt: skip

Where = Literal["venue", "network", "kafka network", "process", "broker", "catalogue", "clock", "disk", "slow disk"]


class Kind(NamedTuple):
    """A kind of fault. `seconds`: from, to; 0, 0 for what is over at once. `weight`: how often among the cheap ones; 0: it
    costs seconds of processor, so there are `a_minute` of it. `on`: its targets, of which one is drawn; `times`: from, to."""

    name: str
    where: Where
    on: tuple[str, ...]
    seconds: tuple[float, float] = (0.0, 0.0)
    weight: float = 0.0
    a_minute: float = 0.0
    times: tuple[int, int] = (1, 1)


KINDS = (
    Kind("drop", "venue", VENUES, weight=6),
    Kind("drop and refuse", "venue", VENUES, (0.3, 3.0), weight=4),
    Kind("frozen line", "venue", VENUES, weight=2),
    Kind("silent", "venue", VENUES, (0.5, 8.0), weight=3),
    Kind("liquidations silent", "venue", VENUES, (1.0, 10.0), weight=3),
    Kind("marks silent", "venue", VENUES, (1.0, 10.0), weight=3),
    Kind("garbage", "venue", VENUES, weight=10, times=(1, 7)),
    Kind("big frame", "venue", VENUES, weight=2),
    Kind("notice", "venue", ("okx",), weight=2),
    Kind("topic refused", "venue", VENUES, weight=4, times=(1, 4)),
    Kind("HTTP refused", "venue", VENUES, weight=10, times=(1, 6)),
    Kind("repeat", "venue", VENUES, weight=8, times=(1, 30)),
    Kind("reorder", "venue", VENUES, weight=8, times=(1, 30)),
    Kind("cut frame", "venue", VENUES, weight=8, times=(1, 5)),
    Kind("torn frame", "venue", VENUES, weight=4),
    Kind("flood", "venue", ("binance", "bybit"), weight=3, times=(200, 2000)),
    Kind("cut", "network", VENUES, weight=6),
    Kind("refuse", "network", VENUES, (0.3, 4.0), weight=4),
    Kind("pause", "network", VENUES, (0.2, 6.0), weight=6),
    Kind("half open", "network", VENUES, (2.0, 20.0), weight=3),
    Kind("slow", "network", VENUES, (1.0, 6.0), weight=3),
    Kind("cut", "kafka network", ("collect", "ingest"), weight=2),
    Kind("refuse", "kafka network", ("collect", "ingest"), (0.5, 5.0), weight=1.5),
    Kind("pause", "kafka network", ("collect", "ingest"), (0.5, 8.0), weight=1.5),
    Kind("half open", "kafka network", ("collect", "ingest"), (1.0, 8.0), weight=1),
    Kind("slow", "kafka network", ("collect", "ingest"), (1.0, 5.0), weight=1),
    Kind("SIGKILL", "process", ("collect",), a_minute=2),
    Kind("SIGKILL", "process", ("ingest",), a_minute=2),
    Kind("SIGKILL", "process", ("ingest's work",), a_minute=2),
    Kind("SIGKILL", "process", ("derive",), a_minute=0.7),
    Kind("SIGKILL", "process", ("prefect",), a_minute=0.7),
    Kind("SIGKILL", "process", ("flows",), a_minute=0.7),
    Kind("SIGSTOP", "process", ("collect",), (0.5, 12.0), a_minute=1.5),
    Kind("SIGSTOP", "process", ("ingest",), (0.5, 12.0), a_minute=1),
    Kind("SIGSTOP", "process", ("derive",), (0.5, 12.0), a_minute=0.5),
    Kind("SIGKILL", "broker", ("broker",), a_minute=0.5),
    Kind("SIGTERM", "broker", ("broker",), a_minute=0.25),
    Kind("SIGSTOP", "broker", ("broker",), (0.5, 12.0), a_minute=0.5),
    Kind("full", "disk", ("broker",), (2.0, 8.0), a_minute=0.3),
    Kind("writes late", "slow disk", ("collect", "ingest"), (1.0, 10.0), a_minute=1.5),
    Kind("write lock held", "catalogue", ("ingest",), (0.5, 10.0), a_minute=1.5),
    Kind("SQLite locked", "catalogue", ("ingest",), (0.3, 8.0), a_minute=1.5),
    Kind("forward", "clock", ("collect", "ingest"), (2.0, 25.0), a_minute=1),
    Kind("back", "clock", ("collect", "ingest"), (2.0, 25.0), a_minute=1),
)
CLOCK_S = (0.5, 2, 30, 300, 3600, 2 * 3600 + 60)
"""How wrong a clock may be, seconds."""


class Planned(NamedTuple):
    """A fault to come, `at` seconds after the start. `dice` in [0, 1) settles what else there is to choose."""

    at: float
    kind: Kind
    target: str
    seconds: float
    times: int
    dice: float

    @property
    def name(self) -> str:
        return f"{self.kind.where}: {self.kind.name}" + (f" {self.target}" if self.kind.where == "process" else "")


def plan(
    seed: int, faults: int, seconds: float, programs: Sequence[str], without: Container[Where] = ()
) -> list[Planned]:
    """Return so many faults over so much time, in order; those that cost seconds of processor by their number a minute, once
    at least. `programs`: the processes there are; `without`: what cannot be done here."""
    dice = random.Random(f"{seed}/faults")
    kinds = [k for k in KINDS if k.where not in without and (k.where != "process" or k.on[0] in programs)]
    dear = [kind for kind in kinds if not kind.weight for _ in range(max(1, round(kind.a_minute * seconds / 60)))]
    cheap = [kind for kind in kinds if kind.weight]
    chosen = (dear + dice.choices(cheap, [kind.weight for kind in cheap], k=max(0, faults - len(dear))))[:faults]
    return sorted((_drawn(kind, dice, seconds) for kind in chosen), key=lambda each: each.at)


def kills(seed: int, count: int, seconds: float, programs: Sequence[str]) -> list[Planned]:
    """Return so many SIGKILLs of the programs and the broker, each in its turn, at random times."""
    dice = random.Random(f"{seed}/kills")
    kinds = [k for k in KINDS if k.name == "SIGKILL" and (k.where == "broker" or k.on[0] in programs)]
    return sorted((_drawn(kinds[n % len(kinds)], dice, seconds) for n in range(count)), key=lambda each: each.at)


def counted(planned: list[Planned]) -> Counter[str]:
    """Return how many there are of each kind."""
    return Counter(each.name for each in planned)


def _drawn(kind: Kind, dice: random.Random, seconds: float) -> Planned:
    lasts = dice.uniform(*kind.seconds)
    at = dice.uniform(0, max(0.0, seconds - lasts))
    return Planned(at, kind, dice.choice(kind.on), lasts, dice.randint(*kind.times), dice.random())
