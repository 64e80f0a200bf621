"""What a new version of a machine does differently, decided by Z3 for all values."""
