"""Turn raw frames into rows: pure functions per venue, ordered and scheduled by Prefect flows."""
