"""The list of conversations beside every page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.models import Conversation
from app.conversations.searching import search_conversations
from app.conversations.service import After, get_conversation, list_conversations
from app.i18n import gettext
from app.ids import parse_id
from app.jobs.control import conversations_at_work
from app.web import preferences
from app.web.days import Group, by_day

LISTED = 50
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Sidebar:
    """A stretch of the list. `older` is its last one when there are more; `last_seen` where the one before ended."""

    conversations: Sequence[Conversation]
    pinned: Sequence[Conversation] = ()
    current_id: str | None = None
    older: str | None = None
    last_seen: datetime | None = None
    running: frozenset[str] = field(default_factory=frozenset)
    query: str = ""

    @property
    def groups(self) -> list[Group]:
        """In the language and on the clock of the page that is drawn."""
        if self.query:
            return [Group("", self.conversations)] if self.conversations else []
        pinned = [Group(gettext("Pinned"), self.pinned)] if self.pinned else []
        here = preferences.current.get().here
        return [*pinned, *by_day(self.conversations, here, utcnow(), self.last_seen)]


async def sidebar_of(
    session: AsyncSession,
    principal: Principal,
    *,
    current_id: str | None = None,
    older: str | None = None,
    archived: bool = False,
    count: int = LISTED,
) -> Sidebar:
    """The pinned and the most recently used `count`, or those that come after `older`."""
    after = None
    if older is not None:
        last = await get_conversation(session, principal, parse_id(older))
        after = After(last.updated_at, last.id)
    apart = None if archived else False  # the pinned ones stand above the others
    found = await list_conversations(session, principal, archived=archived, pinned=apart, after=after, limit=count + 1)
    pinned: Sequence[Conversation] = ()
    if apart is not None and after is None:
        pinned = await list_conversations(session, principal, pinned=True, limit=MOST_LISTED)
    shown = found[:count]
    return Sidebar(
        shown,
        pinned,
        current_id,
        older=shown[-1].id if len(found) > count else None,
        last_seen=after.updated_at if after else None,
        running=await conversations_at_work(session, principal.user_id),
    )


async def found_in_titles(session: AsyncSession, principal: Principal, query: str) -> Sidebar:
    found = await search_conversations(session, principal, query, limit=LISTED)
    return Sidebar(found, query=query, running=await conversations_at_work(session, principal.user_id))
