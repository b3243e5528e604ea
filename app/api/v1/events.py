"""A person's own changes, live: conversations and jobs of theirs, as events or by long poll."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from app.api.v1.responses import JsonResponse
from app.api.v1.schemas.events import NewsView
from app.feed.feed import news_json
from app.http.authentication import ApiPrincipal, still_allowed
from app.http.deps import ServicesDep
from app.http.sse import EventStreamResponse, parse_position

router = APIRouter(prefix="/events", tags=["events"])

After = Annotated[str | None, Query(max_length=32, description="last event seen; by default, from now on")]
EITHER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events, `id:` on each; with `wait`, those that there are, as JSON.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("", operation_id="streamEvents", response_model=NewsView, responses=EITHER)
async def stream_events(
    principal: ApiPrincipal,
    services: ServicesDep,
    after: After = None,
    wait: Annotated[int | None, Query(ge=0, le=30, description="seconds to hold the answer; makes it JSON")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """Your own changes as they are committed, resumable for a day; `reset`: fetch everything anew."""
    position = last_event_id or after
    seen = parse_position(position) if position else None
    if wait is not None:
        with services.feed_viewers.enter(principal.user_id):
            news = await services.feed.wait(principal.user_id, seen, float(wait))
        return JsonResponse(news_json(news))
    leave = services.feed_viewers.enter(principal.user_id)
    try:
        batches = services.feed.follow(
            principal.user_id, seen, still_allowed=lambda: still_allowed(services.database, principal)
        )
        first = await anext(batches)
    except BaseException:
        leave.close()
        raise
    return EventStreamResponse(first, batches, leave.close)
