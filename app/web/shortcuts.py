"""The keys that pages know."""

from fastapi import APIRouter
from starlette.responses import Response

from app.web.context import VisitDep
from app.web.templates import is_htmx

router = APIRouter()


@router.get("/shortcuts")
async def show_shortcuts(visit: VisitDep) -> Response:
    """A sheet over the page that one is on, or a page."""
    if is_htmx(visit.request):
        return visit.page("shortcuts/_sheet.html")
    return visit.page("shortcuts/show.html", sidebar=await visit.sidebar())
