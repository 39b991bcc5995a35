"""Frames to Kafka: numbered as they arrive, kept until Kafka has acknowledged them."""
