"""Two processes' names and a monotonic clock, for tests of rescue."""

ME, OTHER = "process-1-me", "process-2-other"


class Clock:
    """This process's monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
