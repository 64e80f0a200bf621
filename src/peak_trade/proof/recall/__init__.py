"""Traces as files and as tests, offered again to all engines."""
