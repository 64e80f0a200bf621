"""What an operator sees of a run: metrics, health and pages, from the journal alone. Nothing here can act."""
