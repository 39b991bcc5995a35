"""Files a user downloaded, into Kafka as raw frames: the same way as everything else."""
