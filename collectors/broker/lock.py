"""Write `jars.lock` for a release of Kafka: `python -m collectors.broker.lock 4.4.0`. Needs network."""

import sys
from pathlib import Path

from jgo.maven import Artifact, MavenContext

from collectors.broker.jars import LOCK, sha256

HEADER = """\
# Jar files the embedded broker runs on: coordinate, SHA-256, bytes. Written by `python -m collectors.broker.lock`.
# Left out of Kafka's own list: what only its compiler, its Docker image or its Log4j YAML files use.
"""
UNUSED = {"scala-reflect", "jspecify", "jackson-dataformat-yaml", "snakeyaml"}


def write(version: str, lock: Path = LOCK) -> int:
    """Resolve Kafka `version` with all it runs on, fetch it, write `lock`; return how many jars there are."""
    artifacts = [artifact for artifact in _resolve(version) if artifact.artifactId not in UNUSED]
    lines = sorted(_line(artifact, artifact.resolve()) for artifact in artifacts)
    lock.write_text(HEADER + "\n".join(lines) + "\n")
    return len(lines)


def _resolve(version: str) -> list[Artifact]:
    context = MavenContext(timeout=60)
    kafka, others = context.resolver.resolve([context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")])
    artifacts = [dependency.artifact for dependency in (*kafka, *others)]
    log4j = next(artifact.version for artifact in artifacts if artifact.artifactId == "log4j-core")
    # Kafka logs to SLF4J but names no backend. Resolved apart from it: its parent pins an old kafka-clients.
    backend = context.create_dependency(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}")
    return [*artifacts, backend.artifact]


def _line(artifact: Artifact, path: Path) -> str:
    return f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {sha256(path)} {path.stat().st_size}"


if __name__ == "__main__":
    print(write(sys.argv[1]), "jars")
