"""Obligations, solving, verdicts with replayed traces."""
