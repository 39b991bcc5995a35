"""A fourth venue, invented: what adding one takes. Its two folders are here as they would lie in the code."""
