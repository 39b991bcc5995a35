"""A service for the dashboards to ask."""

from tests.pipelines.serve.conftest import ask, served, served_world

__all__ = ["ask", "served", "served_world"]
