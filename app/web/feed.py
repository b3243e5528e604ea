"""The feed for pages: the person's own changes, by long poll."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.feed.feed import news_json
from app.http.authentication import PagePrincipal
from app.http.deps import ServicesDep
from app.web.generations import HOLD, Number
from app.web.leaving import unless_left

router = APIRouter()


@router.get("/events")
async def events(
    request: Request, principal: PagePrincipal, services: ServicesDep, after: Number | None = None
) -> Response:
    """The same as the API's long poll."""
    with services.feed_viewers.enter(principal.user_id):
        news = await unless_left(request, services.feed.wait(principal.user_id, after, HOLD))
    return JSONResponse(news_json(news), headers={"Cache-Control": "no-store"})
