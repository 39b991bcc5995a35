"""The tables, the transaction that stores rows with their Kafka offsets, and what reads the tables."""
