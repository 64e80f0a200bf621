"""The orchestrator: decide (pure), journal (durable), perform (effect)."""
