"""`liq broker start --foreground`: a service of one process, reached at a port of its own choosing."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from collectors.embedded import answering, running


def test_a_broker_in_the_foreground_listens_for_others_and_goes_when_it_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = {**os.environ, "LIQ_DATA": str(tmp_path), "LIQ_KAFKA_LISTEN": f"localhost:{port}", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "liq", "broker", "start", "--foreground"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            assert "Kafka started" in service.stdout.readline()
            broker = running(tmp_path)
            assert broker is not None
            assert answering(port) == broker.cluster_id
        finally:
            service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0
    assert running(tmp_path) is None


def test_a_broker_that_dies_ends_its_service_with_an_error(tmp_path: Path) -> None:
    env = {**os.environ, "LIQ_DATA": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "liq", "broker", "start", "--foreground"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert "Kafka started" in service.stdout.readline()
        broker = running(tmp_path)
        assert broker is not None
        os.kill(broker.pid, signal.SIGKILL)
        _, said = service.communicate(timeout=60)
        assert service.returncode == 1
        assert "broker ended" in said
