"""Inputs that nobody sends, to every parser, the envelope and the door of ingest: no crash, no hang, no wrong side."""
