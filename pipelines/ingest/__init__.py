"""Kafka to commits, exactly once: what is read, what waits in a bucket, what a commit holds, where to go on."""
