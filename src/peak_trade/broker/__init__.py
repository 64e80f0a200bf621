"""The port to a venue: messages, errors, and the mock venue."""
