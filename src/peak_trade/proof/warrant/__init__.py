"""Proofs that stand alone: texts for a second solver, and the invariant as a predicate on values."""
