"""The servers that the ingests share."""

from tests.warehouse.conftest import postgres_server, s3_server

__all__ = ["postgres_server", "s3_server"]
