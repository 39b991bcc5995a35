"""Prefect flows: order, names, schedule and retries of plain functions. A file a flow."""
