"""A captured FIX 4.4 log, read and replayed against the order machine: for test and replay only, without transport."""
