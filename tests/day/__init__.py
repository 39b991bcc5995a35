"""A seeded day of the simulated market: what the views say of it, and the same figures from its frames in plain Python."""
