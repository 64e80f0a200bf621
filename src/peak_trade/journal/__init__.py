"""The append-only, hash-chained, redacted audit journal."""
