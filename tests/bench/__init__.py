"""Speeds, printed as figures beside what a bare consumer reaches in the same run. Not tests."""
