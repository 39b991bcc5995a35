"""Several ingests on one lake while they, and PostgreSQL's sessions, are killed."""
