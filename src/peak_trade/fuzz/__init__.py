"""Many seeded sessions and the failure matrix: what goes wrong on purpose, and what was seen of it."""
