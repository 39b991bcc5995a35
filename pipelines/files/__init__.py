"""Files of any kind that a user has: what each is, and its frames into Kafka."""
