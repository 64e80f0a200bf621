"""The specification language: syntax, statics, dynamics."""
