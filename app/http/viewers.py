"""How many streams and long polls may be open at once."""

from collections import Counter

from app.errors import AppError, ErrorKind
from app.observability import metrics

MAX_PER_PROCESS = 500  # streams of answers
MAX_FEEDS_PER_PROCESS = 5000  # which are silent nearly always


class Entry:
    """One open stream; leave by `close()` or as a context manager."""

    def __init__(self, viewers: "Viewers", user_id: str) -> None:
        self._viewers, self._user_id = viewers, user_id

    def close(self) -> None:
        self._viewers.leave(self._user_id)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        self.close()


class Viewers:
    def __init__(self, per_user: int, in_all: int = MAX_PER_PROCESS) -> None:
        self._per_user, self._most = per_user, in_all
        self._open: Counter[str] = Counter()
        self._in_all = 0

    def __len__(self) -> int:
        return self._in_all

    def enter(self, user_id: str) -> Entry:
        """Raise `rate_limited` when this user, or this process, has too many open. 0 = no limit."""
        if self._per_user and (self._open[user_id] >= self._per_user or self._in_all >= self._most):
            raise AppError(ErrorKind.rate_limited, "too_many_streams", "Too many open streams.", retry_after=2)
        self._open[user_id] += 1
        self._in_all += 1
        metrics.OPEN_STREAMS.add(1)
        return Entry(self, user_id)

    def leave(self, user_id: str) -> None:
        self._in_all -= 1
        metrics.OPEN_STREAMS.add(-1)
        self._open[user_id] -= 1
        if not self._open[user_id]:
            del self._open[user_id]
