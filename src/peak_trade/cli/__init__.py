"""The commands: parse arguments, call, render."""
