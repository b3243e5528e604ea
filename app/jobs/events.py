"""Read a job's log: append-only, numbered 1, 2, 3 … without gaps, across attempts."""

from collections.abc import Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.lookup import Lookup
from app.jobs.lease import StoredEvent

MOST_EVENTS = 100_000
# A viewer may come with any number: the position is compared as what it is, not as what a column holds.
READ_AFTER = """
SELECT seq, event, data FROM job_events WHERE job_id = :job_id AND seq > CAST(:after AS BIGINT)
ORDER BY seq LIMIT :limit
"""


async def read_after(session: AsyncSession, job_id: str, after: int, limit: int = MOST_EVENTS) -> list[StoredEvent]:
    rows = await session.execute(text(READ_AFTER), {"job_id": job_id, "after": after, "limit": limit})
    return [StoredEvent(*row) for row in rows]


async def read_now(lookup: Lookup, job_id: str, after: int) -> list[StoredEvent]:
    """The same for whoever asks all the time."""
    rows = await lookup.all(READ_AFTER, {"job_id": job_id, "after": after, "limit": MOST_EVENTS})
    return [StoredEvent(*row) for row in rows]


class LogText:
    """What a log's events come to: the text in view, and the texts that a restart replaced."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._thinking: list[str] = []
        self.superseded: list[dict[str, str]] = []
        self.usage: dict[str, object] | None = None

    @property
    def content(self) -> str:
        return "".join(self._content)

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)

    def apply(self, event: str, data: dict[str, object]) -> None:
        if event == "delta":
            self._content.append(str(data["text"]))
        elif event == "thinking":
            self._thinking.append(str(data["text"]))
        elif event == "snapshot":
            self._content, self._thinking = [str(data["content"])], [str(data["thinking"])]
        elif event == "restart":
            if self.content or self.thinking:
                old = {"content": self.content, "thinking": self.thinking, "reason": str(data["reason"])}
                self.superseded.append(old)
            self._content, self._thinking = [], []


def replay(events: Sequence[StoredEvent]) -> LogText:
    text_so_far = LogText()
    for event in events:
        if event.event in ("delta", "thinking", "snapshot", "restart"):
            text_so_far.apply(event.event, orjson.loads(event.data))
    return text_so_far
