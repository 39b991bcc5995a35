"""One's own position: where it is liquidated, what moves that price, and what lies near it. Definitions: README."""
