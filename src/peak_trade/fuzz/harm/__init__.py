"""Deaths at every operation, disks that fail in every way, and secrets planted everywhere."""
