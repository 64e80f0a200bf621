"""Engines beside each other, on shipped machines and on made-up ones."""
