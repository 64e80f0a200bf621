"""What failed: as a program, shrunk, in a folder, replayed, and as a test."""
