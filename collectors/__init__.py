"""Connects to the venues and keeps every frame exactly as it arrived. Nothing here interprets a frame."""
