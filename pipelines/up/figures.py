"""The parts of `liq up` as metrics."""

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipelines.up.board import Part


def metrics(parts: Callable[[], Sequence[Part]]) -> Iterable[Metric]:
    """Return of each part whether it runs and how often it was started again."""
    up = GaugeMetricFamily("liq_part_up", "Whether the part runs now", labels=["part"])
    restarts = CounterMetricFamily("liq_part_restarts", "How often it ended and was started again", labels=["part"])
    for part in parts():
        up.add_metric([part.name], 0 if part.pid is None else 1)
        restarts.add_metric([part.name], part.restarts)
    yield from (up, restarts)


def wrong(parts: Sequence[Part]) -> list[str]:
    """Return the parts that do not run, or end soon after each start."""
    return [
        f"part {part.name} "
        + ("is down" if part.pid is None else f"ended soon after its start, {part.short_lives} times in a row")
        for part in parts
        if part.pid is None or part.loops(time.time())
    ]
