"""What processes take of the processor, as benchmarks count it."""

import asyncio
import sys
import time

from tests.bench.processor import ALL, Sampler

CHILD = """
import subprocess, sys, time
if sys.argv[1:]:
    while time.process_time() < 0.3: pass
else:
    sys.stdin.readline()
    subprocess.run([sys.executable, "-c", sys.orig_argv[2], "leaf"], check=True)
    print("done", flush=True)
    sys.stdin.read()
"""


async def test_processor_time_of_children_counts_also_when_they_have_ended() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    sampler = Sampler({"the parent": [process.pid], "nobody": []})
    async with sampler.running():
        began = time.time()
        process.stdin.write(b"go\n")
        assert await process.stdout.readline() == b"done\n"
    process.stdin.close()
    await process.wait()
    used = {name: sampler.used(name, began, time.time()) for name in ("the parent", "nobody", ALL)}
    assert used["nobody"] == 0
    assert 0.28 <= used["the parent"] <= used[ALL] + 0.1  # the kernel counts hundredths of a second
    assert sampler.used("the parent", time.time(), time.time() + 9) == 0
