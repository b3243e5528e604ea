"""Find a conversation by its title."""

from fastapi import APIRouter
from starlette.responses import Response

from app.web.context import VisitDep
from app.web.sidebar import found_in_titles
from app.web.templates import is_htmx

router = APIRouter()


@router.get("/search")
async def search(visit: VisitDep, q: str = "") -> Response:
    """A page with what was found; for HTMX the list beside the page, which is the whole list without words."""
    words = " ".join(q.replace("\0", " ").split())
    if is_htmx(visit.request):
        found = await found_in_titles(visit.session, visit.principal, words) if words else await visit.sidebar()
        return visit.page("search/found.oob.html", sidebar=found)
    found = await found_in_titles(visit.session, visit.principal, words)
    return visit.page("search/show.html", sidebar=await visit.sidebar(), found=found)
