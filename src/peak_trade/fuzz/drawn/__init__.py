"""The real session under rules that Hypothesis draws."""
