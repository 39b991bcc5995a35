"""Fills a topic of Kafka with liquidation frames, for benchmarks that read them."""

import os
from typing import Any

from aiokafka import AIOKafkaProducer

from collectors.envelope import RawFrame, to_record
from collectors.topics import LIQUIDATION

FRAMES = int(os.environ.get("LIQ_BENCH_FRAMES", 600_000))
SYMBOLS, PARTS = 40, 4
SINCE_MS = 1_790_000_000_000


def frame(number: int, at_ms: int | None = None, recv_ns: int | None = None) -> RawFrame:
    """Return frame `number`: a liquidation at `at_ms` that came at `recv_ns` (Unix time), else 20 a millisecond."""
    at = SINCE_MS + number // 20 if at_ms is None else at_ms
    symbol = f"COIN{number % SYMBOLS}USDT"
    side = "Buy" if number % 3 else "Sell"
    payload = (
        f'{{"topic":"allLiquidation.{symbol}","type":"snapshot","ts":{at + 7},"data":[{{"T":{at},"s":"{symbol}",'
        f'"S":"{side}","v":"{number % 977 / 1000 + 0.001:.3f}","p":"{58000 + number % 8191 / 10:.1f}"}}]}}'
    )
    return RawFrame(
        "bybit", "allLiquidation", symbol, "ws", recv_ns or (at + 11) * 1_000_000, "bybit-linear-bench-0000", "linear", "live",
        number + 1, payload.encode(),
    )  # fmt: skip


def partition(number: int) -> int:
    """Return the partition of frame `number`."""
    return number % SYMBOLS % PARTS


def producer(kafka: dict[str, Any]) -> AIOKafkaProducer:
    """Return a producer that sends batches as large as a collector's."""
    return AIOKafkaProducer(**kafka, acks=1, linger_ms=20, max_batch_size=256 * 1024, compression_type="zstd")


async def fill(kafka: dict[str, Any]) -> None:
    """Send all frames, and wait until Kafka has them."""
    sender = producer(kafka)
    await sender.start()
    try:
        batches = [sender.create_batch() for _ in range(PARTS)]
        for number in range(FRAMES):
            record = to_record(frame(number))
            at = partition(number)
            if batches[at].append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
                await sender.send_batch(batches[at], LIQUIDATION, partition=at)
                batches[at] = sender.create_batch()
                batches[at].append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
        for at, batch in enumerate(batches):
            await sender.send_batch(batch, LIQUIDATION, partition=at)
        await sender.flush()
    finally:
        await sender.stop()
