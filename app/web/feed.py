"""What pages ask for to stay as things are: their person's own changes, by long poll."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.feed.feed import told
from app.web.context import VisitDep
from app.web.generations import HOLD, Number
from app.web.leaving import unless_left

router = APIRouter()


@router.get("/events")
async def events(visit: VisitDep, after: Number | None = None) -> Response:
    """The same as the API's long poll."""
    user_id = visit.principal.user_id
    with visit.services.feed_viewers.enter(user_id):
        news = await unless_left(visit.request, visit.services.feed.wait(user_id, after, HOLD))
    return JSONResponse(told(news), headers={"Cache-Control": "no-store"})
