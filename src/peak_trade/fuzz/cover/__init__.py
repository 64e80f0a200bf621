"""What was seen, in the words of the specification, what was required, and what cannot be seen at all."""
