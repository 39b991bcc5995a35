"""`liq serve`: the warehouse over HTTP, read-only. `app.py` puts it together; `infra/README.md` says what is served."""
