"""Three brokers of one Kafka cluster on loopback, each also a controller, that can be killed one by one."""

import asyncio
import base64
import os
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from collectors.broker import jars, java
from collectors.broker.settings import LOG_CONFIGURATION, BrokerSettings, properties
from collectors.embedded import State, answering, marker
from collectors.ports import HOST, free_port

NODES = (1, 2, 3)
START_S = 180.0
THREE = {
    "offsets.topic.replication.factor": 3, "transaction.state.log.replication.factor": 3, "transaction.state.log.min.isr": 2,
}  # fmt: skip


class Brokers:
    """The cluster's processes, by node. `bootstrap` names them all."""

    def __init__(self, folder: Path) -> None:
        self._folders = {node: folder / f"broker{node}" for node in NODES}
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._states = {node: State(free_port(), free_port(), self._cluster) for node in NODES}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{HOST}:{state.port}" for state in self._states.values())

    def start(self, node: int) -> None:
        """Start a broker, its storage made if there is none."""
        folder, settings = self._folders[node], BrokerSettings.load()
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        voters = ",".join(f"{each}@{HOST}:{state.controller_port}" for each, state in self._states.items())
        told = properties(self._states[node]) | {"node.id": node, "controller.quorum.voters": voters, **THREE}
        (folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in told.items()))
        classpath = os.pathsep.join(map(str, jars.classpath(settings.kafka_jars)))
        command = [
            str(java.find()),
            *settings.java_options(),
            f"-Dlog4j2.configurationFile={LOG_CONFIGURATION.as_uri()}",
        ]
        command += [marker(folder), "-cp", classpath]
        if not (folder / "data" / "meta.properties").exists():
            format_ = ["kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", "server.properties"]
            subprocess.run([*command, *format_], cwd=folder, check=True, capture_output=True)
        with (folder / "logs" / "console.log").open("ab") as log:
            self._processes[node] = subprocess.Popen(
                [*command, "kafka.Kafka", "server.properties"], cwd=folder, stdout=log, stderr=log
            )

    async def answers(self, node: int) -> None:
        """Wait until a broker answers."""
        deadline = time.monotonic() + START_S
        while await asyncio.to_thread(answering, self._states[node].port) != self._cluster:
            assert self._processes[node].poll() is None, f"broker {node} ended: {self._folders[node]}/logs"
            assert time.monotonic() < deadline, f"broker {node} does not answer: {self._folders[node]}/logs"
            await asyncio.sleep(0.2)

    def kill(self, node: int) -> None:
        """Kill a broker as the kernel does."""
        self._processes[node].send_signal(signal.SIGKILL)
        self._processes[node].wait()

    def stop(self) -> None:
        """Kill all; their data are thrown away."""
        for process in self._processes.values():
            process.kill()
            process.wait()


@asynccontextmanager
async def brokers(folder: Path) -> AsyncIterator[tuple[str, Brokers]]:
    """Run three brokers for the block; hand out their address and themselves."""
    cluster = Brokers(folder)
    try:
        for node in NODES:
            await asyncio.to_thread(cluster.start, node)
        for node in NODES:
            await cluster.answers(node)
        yield cluster.bootstrap, cluster
    finally:
        cluster.stop()
