"""What a collector has heard, delivered and still has, as metrics; and what is wrong with its data."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from collectors.delivery.counts import COUNTS, Counts
from collectors.delivery.publisher import Publisher
from collectors.topics import BY_WORTH

QUIET_S = 60.0
"""A venue without any frame for so long, and a Kafka that acknowledges nothing while something waits, are wrong."""
GIVEN_UP_S = 300.0
"""Frames that were given up are told for so long."""


class Figures:
    """Of one collector process that listens to `venues`. `clock`: UTC seconds since 1970."""

    def __init__(
        self,
        publisher: Publisher,
        venues: Sequence[str],
        counts: Counts = COUNTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._publisher = publisher
        self._venues = venues
        self._counts = counts
        self._clock = clock
        self._began = clock()

    def metrics(self) -> Iterator[Metric]:
        """Return everything as metrics."""
        yield from self._heard()
        yield from self._delivered()
        yield from self._kept()

    def wrong(self) -> list[str]:
        """Return what is wrong with the data, nothing where all is well."""
        return [line for line in (*self._quiet(), self._stuck(), self._given_up(), self._spool(), self._time()) if line]

    def _heard(self) -> Iterable[Metric]:
        by_channel = ["venue", "channel"]
        frames = CounterMetricFamily("liq_collect_frames", "Frames that arrived", labels=by_channel)
        last = GaugeMetricFamily(
            "liq_collect_last_data_timestamp_seconds", "When the last frame arrived, UTC", labels=by_channel
        )
        sessions = GaugeMetricFamily(
            "liq_collect_sessions", "Connections and pollers that are open", labels=["venue", "transport"]
        )
        events = CounterMetricFamily(
            "liq_collect_events", "Events of sessions; pauses are event=paused", labels=["venue", "event"]
        )
        for at, count in dict(self._counts.frames).items():
            frames.add_metric(at, count)
        for at, when in dict(self._counts.heard).items():
            last.add_metric(at, when)
        for at, count in dict(self._counts.sessions).items():
            sessions.add_metric(at, count)
        for at, count in dict(self._counts.events).items():
            events.add_metric(at, count)
        return frames, last, sessions, events

    def _delivered(self) -> Iterable[Metric]:
        publisher, dropped = self._publisher, self._dropped()
        yield _counter("liq_collect_bytes", "Payload of the frames taken", dict(publisher.taken_bytes))
        yield _counter("liq_collect_acknowledged_frames", "Frames Kafka has, events too", dict(publisher.acknowledged))
        yield _counter("liq_collect_dropped_frames", "Frames given up, each named by an event", dropped)
        yield CounterMetricFamily(
            "liq_collect_refused_frames", "Frames that Kafka will never take", value=publisher.refused
        )
        yield GaugeMetricFamily(
            "liq_collect_kafka_up", "Whether Kafka takes frames, as far as is known", value=int(publisher.link.is_there)
        )
        if (ns := publisher.offset.ns) is not None:
            yield GaugeMetricFamily(
                "liq_collect_clock_offset_seconds", "This machine's clock ahead of Kafka's", value=ns / 1e9
            )

    def _kept(self) -> Iterable[Metric]:
        lanes, spool = self._publisher.lanes, self._publisher.spool
        yield _gauge("liq_collect_waiting_frames", "Frames in memory", {t: lanes[t].frames for t in BY_WORTH})
        yield _gauge("liq_collect_waiting_bytes", "Memory of waiting frames", {t: lanes[t].bytes for t in BY_WORTH})
        if spool is None:
            return
        files = {topic: spool.of(topic) for topic in BY_WORTH}
        frames = {topic: sum(each.waiting for each in files[topic]) for topic in BY_WORTH}
        ages = {topic: spool.age_s(files[topic][0]) if files[topic] else 0.0 for topic in BY_WORTH}
        yield _gauge("liq_collect_spool_frames", "Frames on disk", frames)
        yield _gauge(
            "liq_collect_spool_bytes", "Disk taken", {t: sum(each.size for each in files[t]) for t in BY_WORTH}
        )
        yield _gauge("liq_collect_spool_age_seconds", "Since the oldest file was last written to", ages)
        yield GaugeMetricFamily("liq_collect_spool_limit_bytes", "Disk that may be taken", value=spool.bound)

    def _dropped(self) -> dict[str, int]:
        keeper = self._publisher.keeper
        spooled = dict(keeper.dropped) if keeper else {}
        return {t: n for t in BY_WORTH if (n := self._counts.given_up[t] + spooled.get(t, 0))}

    def _quiet(self) -> Iterator[str]:
        now, heard = self._clock(), dict(self._counts.heard)
        for venue in self._venues:
            last = max((when for (of, _), when in heard.items() if of == venue), default=self._began)
            if now - last > QUIET_S:
                yield f"no data from {venue} for {now - last:.0f} s"

    def _stuck(self) -> str:
        waited_s = time.monotonic() - self._publisher.acknowledged_at
        if not self._publisher.waits or waited_s < QUIET_S:
            return ""
        on_disk = self._publisher.spool.frames if self._publisher.spool else 0
        waiting = f"{on_disk} frames wait on disk, {self._publisher.pending} in memory"
        return f"Kafka has taken nothing for {waited_s:.0f} s: {waiting}"

    def _given_up(self) -> str:
        last = max(self._counts.given_up_at, self._publisher.keeper.dropped_at if self._publisher.keeper else 0.0)
        if self._clock() - last > GIVEN_UP_S:
            return ""
        told = ", ".join(f"{count} of {topic}" for topic, count in self._dropped().items())
        return f"frames were given up: {told} since the start; events `dropped` name each"

    def _spool(self) -> str:
        keeper = self._publisher.keeper
        return f"the spool cannot be written: {keeper.trouble}" if keeper and keeper.trouble else ""

    def _time(self) -> str:
        offset = self._publisher.offset
        return f"the clock is {(offset.ns or 0) / 1e9:+.1f} s off Kafka's" if offset.is_wrong else ""


def _counter(name: str, what: str, values: dict[str, int]) -> Metric:
    made = CounterMetricFamily(name, f"{what}, by topic", labels=["topic"])
    for topic, value in values.items():
        made.add_metric([topic], value)
    return made


def _gauge(name: str, what: str, values: dict[str, int] | dict[str, float]) -> Metric:
    made = GaugeMetricFamily(name, f"{what}, by topic", labels=["topic"])
    for topic, value in values.items():
        made.add_metric([topic], value)
    return made
