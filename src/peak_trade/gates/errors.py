"""What can go wrong outside the pages: a wrong call, a file of settings that says nothing, git that does not answer."""


class UnusableError(ValueError):
    """Something that the gates need was not as expected; `remedy` is what to do next."""

    def __init__(self, expected: str, was: str, remedy: str) -> None:
        super().__init__(f"expected {expected}, was {was}; {remedy}")
        self.expected, self.was, self.remedy = expected, was, remedy
