"""The temporary server of Prefect, on which flows run that a person starts by hand where no server is named."""

import signal

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

from pipelines.errors import PipelineError


def start_own_server() -> None:
    """Start it, unless a server is named. Ctrl-C does not reach it, so that a run can tell it how it ended.

    Raises PipelineError where it does not answer.
    """
    if PREFECT_API_URL.value() is not None or not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        SubprocessASGIServer().start()
    except RuntimeError as error:
        raise PipelineError(
            f"Prefect's temporary server did not start: {error}; PREFECT_API_URL may name another"
        ) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
