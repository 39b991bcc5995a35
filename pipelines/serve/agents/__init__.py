"""The warehouse as tools of an agent (MCP): `tools.py` what they are, `server.py` how they are served."""
