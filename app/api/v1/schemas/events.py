"""A person's own changes as they go over the wire."""

from app.api.v1.schemas.base import View
from app.api.v1.schemas.jobs import EventView


class NewsView(View):
    """What is newer than a position. `last_event_id` is the `after` to ask with next.

    `conversation` `{id, change: made|changed|deleted|restored, updated_at, head_id}`;
    `job` `{id, kind, conversation_id, status, phase, position, reason, retry_at}`;
    `reset`: the position is too old, fetch everything anew.
    """

    events: list[EventView]
    last_event_id: int
