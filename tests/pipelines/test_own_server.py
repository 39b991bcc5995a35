"""Prefect's temporary server, where no server is named."""

import os
import subprocess
import sys
from pathlib import Path

from collectors.broker import stop


def test_one_that_does_not_answer_in_time_is_told_in_one_line(tmp_path: Path) -> None:
    own = {"LIQ_DATA": str(tmp_path), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "0", "NO_COLOR": "1"}
    kept = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    command = [sys.executable, "-m", "liq", "ingest", "--follow"]
    try:
        done = subprocess.run(command, env=kept | own, capture_output=True, text=True, timeout=120, check=False)
    finally:
        stop(tmp_path)
    assert done.returncode == 1
    assert "liq ingest: Prefect's temporary server did not start: " in done.stderr
    assert "Traceback" not in done.stderr
