"""What the venues keep of the past: which endpoints give it, how it is paged, and the run that fetches it into Kafka."""
