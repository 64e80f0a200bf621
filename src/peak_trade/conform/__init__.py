"""Traces held to the specifications: a journal, whole or in part, is what they allow, or the first step that is not."""
