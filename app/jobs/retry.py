"""When to try again."""

import random

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
_jitter = random.SystemRandom()


def delay(failures: int) -> float:
    """Seconds before the next attempt after `failures` in a row: doubling, with jitter so that nobody is in step."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures, 16)) * _jitter.uniform(0.5, 1.5)
