"""What routes of pages ask for."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from pydantic import AfterValidator
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.principal import Principal
from app.conversations.models import Conversation
from app.conversations.service import get_conversation
from app.generations.live_page import LiveAnswers
from app.http.authentication import PagePrincipal
from app.http.deps import ReadSession, Services, ServicesDep
from app.ids import parse_id
from app.web import preferences
from app.web.sidebar import Sidebar, sidebar_of
from app.web.templates import is_htmx, page

PathId = Annotated[str, Path(), AfterValidator(parse_id)]


async def live_answers(request: Request, services: ServicesDep) -> LiveAnswers:
    """One per process, made at first use."""
    state = request.app.state
    if not hasattr(state, "live_answers"):
        state.live_answers = LiveAnswers(services.database, services.engine)
    return cast(LiveAnswers, state.live_answers)


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person's request, and what it may use.

    `session` only reads. There are few connections: close it before waiting for anything but the database.
    """

    request: Request
    principal: Principal
    session: AsyncSession
    services: Services
    live: LiveAnswers
    feed: int | None  # the position from which a whole page follows the feed; None for a fragment

    async def conversation(self, conversation_id: str) -> Conversation:
        return await get_conversation(self.session, self.principal, conversation_id)

    async def sidebar(self, *, current_id: str | None = None, older: str | None = None) -> Sidebar:
        """The most recently used conversations, or those that come after `older`."""
        return await sidebar_of(self.session, self.principal, current_id=current_id, older=older)

    def page(self, name: str, **context: Any) -> Response:
        return page(self.request, name, principal=self.principal, feed=self.feed, **context)


async def visit(
    request: Request,
    principal: PagePrincipal,
    session: ReadSession,
    services: ServicesDep,
    live: Annotated[LiveAnswers, Depends(live_answers)],
) -> Visit:
    preferences.enter(request, principal)
    # Read the position before the page's data: the feed then brings every change that the page may have missed.
    feed = None if is_htmx(request) else await services.feed.position()
    return Visit(request, principal, session, services, live, feed)


VisitDep = Annotated[Visit, Depends(visit)]
