"""Pure functions from a machine to an artefact."""
