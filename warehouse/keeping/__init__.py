"""Protects a lake against loss: the manifest of its files, copies of its catalogue, backup, verify and restore."""
