"""How old a liquidation is when SQL first shows it, at a steady rate, and what memory the processes take for it."""

import asyncio
import statistics
import time
from pathlib import Path

from pipelines.up.commands import liq
from pipelines.up.parts import Parts
from warehouse import lake

RATE = 2_000
WARM_S, MEASURED_S = 25.0, 20.0
NEWER = """
SELECT epoch_us(ts_recv), kafka_partition, kafka_offset FROM liquidations
WHERE ts_recv > make_timestamp($since::BIGINT)
"""


async def run(world: Path) -> None:
    """Run simulator, collectors and ingest as processes of their own and read beside them."""
    parts = Parts(world, print)
    try:
        await parts.kafka()
        addresses = world / "simulator.env"
        command = liq("simulate", "--load", f"bybit={RATE}", "--cascade", "0", "--write-env", str(addresses))
        await parts.add("simulate", command)
        while not (addresses.exists() and addresses.read_text().endswith("\n")):
            await asyncio.sleep(0.1)
        parts.env.update(line.split("=", 1) for line in addresses.read_text().splitlines())  # type: ignore[misc]
        await parts.prefect()
        collect = await parts.add("collect", liq("collect", "bybit"))
        ingest = await parts.add("ingest", liq("ingest", "--follow"))
        await asyncio.sleep(WARM_S)
        ages, rate = await asyncio.to_thread(_ages, world)
        memory = {child.name: _memory(child.pid) for child in (collect, ingest)}
    finally:
        await parts.stop()
    cut = statistics.quantiles(ages, n=100)
    print(f"frames stored while measured:                    {rate:>10,.0f} /s")
    print(f"socket to a row that a query sees, p50 / p99:    {cut[49]:>10.2f} / {cut[98]:.2f} s   (looked every 0.1 s)")
    for name, (peak, own) in memory.items():
        print(f"memory of {name + ', peak:':<39}{peak:>10,.0f} MB, {own:,.0f} of it its own (the rest is program code)")


def _ages(world: Path) -> tuple[list[float], float]:
    ages: list[float] = []
    seen: set[tuple[int, int]] = set()
    with lake.open(world) as warehouse:
        began = time.time()
        since = int((began - 10) * 1e6)
        seen.update(row[1:] for row in warehouse.connection.execute(NEWER, {"since": since}).fetchall())
        while (now := time.time()) < began + MEASURED_S:
            rows = warehouse.connection.execute(NEWER, {"since": int((now - 8) * 1e6)}).fetchall()
            shown = time.time()
            new = [row for row in rows if row[1:] not in seen]
            seen.update(row[1:] for row in new)
            ages += [shown - row[0] / 1e6 for row in new]
            time.sleep(max(0.0, 0.1 - (time.time() - now)))
    return ages, len(ages) / MEASURED_S


def _memory(pid: int | None) -> tuple[float, float]:
    """Return peak resident memory and what of the present one is not mapped from files, in MB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    peak, own = (int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    return peak, own
