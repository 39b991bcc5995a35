"""The Kafka that the tests run on: a real broker, started only when the first test asks for it, one a run.

It is the embedded broker in a temporary world. Where a Docker engine answers and holds an image of `apache/kafka`, the
same tests run a second time on that image through testcontainers; nothing is ever pulled.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from collectors.broker import start, stop
from collectors.broker.settings import properties
from collectors.cluster import administering
from collectors.embedded import State, answering
from collectors.kafka import ensure_topics
from collectors.ports import HOST, free_port
from collectors.topics import TOPICS

settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")  # how fast a test is depends on what else the machine does

EMBEDDED = "embedded"
KEPT = {"LIQ_KAFKA_JARS", "LIQ_KAFKA_JAVA_OPTIONS", "LIQ_KAFKA_START_TIMEOUT_S"}
CONTAINER_PORT = 9092
CONTAINER_START_S = 120

LONGEST = (
    "tests/chaos/test_chaos.py",
    "tests/walk/test_demo.py",  # mostly waits, so the other workers have the processor
    "tests/day/",
    "tests/collectors/test_service_faults.py",
)
"""What takes longest comes first, so that no worker ends long after the others."""

tried: Counter[str] = Counter()
"""Inputs that the fuzzers of tests/fuzz tried, by target."""


@lru_cache(maxsize=1)
def _image() -> tuple[str | None, str]:
    """Return the local apache/kafka image, if any, and why there is none."""
    if not (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        return None, "no Docker engine here"
    import docker
    from docker.errors import DockerException

    try:
        engine = docker.from_env(timeout=3)
        images = engine.images.list(name="apache/kafka")
    except DockerException:
        return None, "no Docker engine answers"
    tags = sorted(tag for image in images for tag in image.tags)
    return (tags[-1], "") if tags else (None, "the Docker engine has no image of apache/kafka")


def pytest_configure(config: pytest.Config) -> None:
    """Take the user's settings away from the tests, but those that say how a broker is had here.

    Polars gets one thread: the tests' frames are small and run several at a time.
    """
    config.addinivalue_line(
        "markers", "local(reason): about SQLite or files in a folder alone; tests/warehouse/elsewhere.py"
    )
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    for name in [name for name in os.environ if name.startswith("LIQ_") and name not in KEPT]:
        del os.environ[name]
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers())
        config.option.loadscopereorder = False  # it would hand out first the files of most tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of LONGEST first, in its order."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONGEST) if item.nodeid.startswith(name)), len(LONGEST))

    items.sort(key=place)


def _kafkas() -> str:
    image, reason = _image()
    return f"kafka: embedded broker, and {image} in a container" if image else f"kafka: embedded broker only ({reason})"


def pytest_report_header(config: pytest.Config) -> str:
    return _kafkas()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say it at the end where -q leaves the header out."""
    if config.get_verbosity() < 0:
        terminalreporter.write_line(_kafkas())
    if tried:
        terminalreporter.write_line("fuzzed: " + ", ".join(f"{name} {n:,}" for name, n in tried.items()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of xdist pass on how many inputs its fuzzers tried."""
    if (bounds := sys.modules.get("tests.fuzz.bounds")) is not None:
        tried.update(bounds.tried)
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["tried"] = dict(bounds.tried)


class _Workers:
    """What the run as a whole hears of xdist's workers."""

    def pytest_testnodedown(self, node: Any) -> None:
        tried.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses Kafka on every Kafka there is."""
    if "kafka" in metafunc.fixturenames:
        image, _ = _image()
        metafunc.parametrize("kafka", [EMBEDDED, image] if image else [EMBEDDED], indirect=True, scope="session")


@pytest.fixture(scope="session")
def kafka_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded broker of this run lives."""
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, kafka_world: Path) -> Iterator[dict[str, Any]]:
    """Keyword arguments for any aiokafka client, as `collectors.kafka.connection` returns them. Topics: `fresh_kafka`.

    A test of a whole command hands it on as LIQ_KAFKA_BOOTSTRAP=kafka["bootstrap_servers"].
    """
    if request.param != EMBEDDED:
        with _container(request.param) as bootstrap:
            yield {"bootstrap_servers": bootstrap}
        return
    try:
        yield {"bootstrap_servers": start(kafka_world).bootstrap}
    finally:
        stop(kafka_world)


@pytest.fixture
def delete_topics(kafka: dict[str, Any], kafka_world: Path) -> Callable[[list[str]], Awaitable[None]]:
    """A function that deletes topics, those that are there, and returns when the broker no longer knows them.

    A broker forgets a topic's name before it lets its logs go; what is sent to one of that name in between is lost with them.
    """
    logs = kafka_world / "kafka" / "data"

    async def delete(names: list[str]) -> None:
        async with administering(kafka) as admin, asyncio.timeout(60):
            while there := sorted(set(names) & set(await admin.list_topics())):
                await admin.delete_topics(there)
            while [
                log for name in names for digits in ("[0-9]", "[0-9][0-9]") for log in logs.glob(f"{name}-{digits}")
            ]:
                await asyncio.sleep(0.01)

    return delete


@pytest.fixture
async def fresh_kafka(kafka: dict[str, Any], delete_topics: Callable[[list[str]], Awaitable[None]]) -> dict[str, Any]:
    """As `kafka`, with every topic of the table there and empty, offsets from 0.

    Topic names are fixed, so tests cannot have topics of their own: those of the test before are deleted and created
    again (a tenth of a second). Clients must not outlive their test. Consumer groups are not reset.
    """
    await delete_topics([topic.name for topic in TOPICS])
    await ensure_topics(kafka, TOPICS)
    return kafka


@contextmanager
def _container(image: str) -> Iterator[str]:
    """Run `image` with the embedded broker's own settings and yield its address."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True  # its own container would need an image of its own
    port = free_port()
    settings = properties(State(CONTAINER_PORT, CONTAINER_PORT + 1, "")) | {
        "listeners": f"PLAINTEXT://:{CONTAINER_PORT},CONTROLLER://:{CONTAINER_PORT + 1}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": "/tmp/kafka-logs",
    }
    container = DockerContainer(image)
    container.ports[f"{CONTAINER_PORT}/tcp"] = (HOST, port)  # with_bind_ports knows no host address
    for key, value in settings.items():
        container.with_env(f"KAFKA_{key.replace('.', '_').upper()}", str(value))
    with container:
        deadline = time.monotonic() + CONTAINER_START_S
        while answering(port) is None:
            assert time.monotonic() < deadline, f"{image} started but does not answer at {HOST}:{port}"
            time.sleep(0.2)
        yield f"{HOST}:{port}"
