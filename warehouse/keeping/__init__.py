"""What keeps a lake: the record of its files, copies of its catalogue, backup, verify and restore."""
