"""The specifications' own machines: walked to what is new, many at once, or exhaustively."""
