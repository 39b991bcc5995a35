"""A real Apache Kafka (one node, KRaft, loopback unless told otherwise) as a detached child process, without a cluster.

    start(world)   find the world's broker or start it        cli.py    liq broker start|stop|status
    stop(world)    stop it cleanly                            java.py   which Java
    jars.lock      the jar files it runs on, with checksums   jars.py   where they are, fetching what is missing

Clients ask `collectors.kafka.connection` how to reach it.
"""

from collectors.broker.process import Stopped, start, stop
from collectors.embedded import Running, running

__all__ = ["Running", "Stopped", "running", "start", "stop"]
