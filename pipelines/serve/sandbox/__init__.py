"""SQL of others: read by `allowed.py` before it runs, run by `worker.py` in a process that can do no harm, which `workers.py`
kills at its deadline."""

READY = b"ready\n"
"""What a worker says when statements may come."""
