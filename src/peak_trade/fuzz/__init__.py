"""What goes wrong, done to whole sessions on purpose: seeded worlds, crashes, and the verdict on how each one ended."""
