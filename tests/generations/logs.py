"""An answer whose log a test writes itself, event by event."""

import random
from typing import Any

from app.clock import utcnow
from app.db.types import to_text
from app.generations.writer import write_message
from app.jobs import lease
from app.jobs.lease import End, StoredEvent
from app.jobs.states import JobStatus
from tests.generations.asking import Talk
from tests.jobs.rows import OWNER, transaction

MARKDOWN = """# Tea

Some *words* about **tea** and `code`, with a [link](https://example.org/a).

- one
- two
  - nested

```python
print("not *emphasis* here")
```

| a | b |
| --- | --- |
| 1 | 2 |

> quoted

And an end with $x^2$ in it.
"""


class HandWritten:
    """A claimed job of a real message; nobody else runs it."""

    def __init__(self, talk: Talk, connection: Any, job_id: str, message_id: str) -> None:
        self._talk, self._connection = talk, connection
        self.job_id, self.message_id = job_id, message_id
        with transaction(connection):
            connection.execute(
                "UPDATE jobs SET status = 'running', attempt = 1, lease_owner = ?, leased_until = ? WHERE id = ?",
                (OWNER, to_text(utcnow()), job_id),
            )

    def write(self, event: str, data: dict[str, Any]) -> None:
        with transaction(self._connection) as on:
            fenced = lease.fence(on, self.job_id, 1, 1, to_text(utcnow()))
            assert fenced is not None
            stored = lease.append_at(on, self.job_id, 1, fenced[0], event, data)
        self._show(stored)

    def end(self) -> None:
        with transaction(self._connection) as on:
            how = End(
                JobStatus.succeeded, effects=[write_message(self.job_id, status="complete", finish_reason="stop")]
            )
            done = lease.end(on, self.job_id, 1, how)
        assert done is not None
        self._show(done)

    def _show(self, event: StoredEvent) -> None:
        self._talk.process.engine.hub.publish(self.job_id, [event])


async def hand_written(talk: Talk, connection: Any) -> HandWritten:
    """The process must not claim: drain its worker before."""
    sent = await talk.send("write")
    return HandWritten(talk, connection, sent.job.id, sent.assistant_message.id)


def pieces(text: str, seed: int) -> list[str]:
    """The text, cut anywhere."""
    chance, cut, found = random.Random(seed), 0, []
    while cut < len(text):
        size = chance.choice([1, 2, 3, 8, 20])
        found.append(text[cut : cut + size])
        cut += size
    return found
