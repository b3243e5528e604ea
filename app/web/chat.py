"""What a conversation's page is drawn from."""

from typing import Any

from app.conversations.messages import Window, window_around, window_of
from app.conversations.models import Conversation
from app.web.composer import composer_of
from app.web.context import Visit
from app.web.forms import FormState
from app.web.message_views import window_views
from app.web.titles import title_job_of

MESSAGES, MOST_MESSAGES = 50, 2_000  # on a page: at first, and where all are wanted


async def chat_context(
    visit: Visit,
    conversation: Conversation,
    *,
    before: str | None = None,
    around: str | None = None,
    limit: int = MESSAGES,
    still: bool = False,
    form: FormState | None = None,
    settings: FormState | None = None,
) -> dict[str, Any]:
    """Everything `conversations/show.html` and its blocks name. `form` and `settings`: forms that were refused."""
    if around is not None:
        window = await window_around(visit.session, conversation, around)
    else:
        window = await window_of(visit.session, conversation, before=before, limit=limit)
    title_job = await title_job_of(visit.session, conversation)
    messages = await window_views(visit.session, visit.principal, window, visit.live)
    sidebar = await visit.sidebar(current_id=conversation.id)
    await visit.session.close()
    listed = await visit.services.providers.models()
    answers = [] if before else window.messages
    composer = composer_of(conversation, listed, running_job(window), form, answers=answers, settings=settings)
    return {
        "sidebar": sidebar,
        "conversation": conversation,
        "title_job": title_job,
        "messages": messages,
        "before": window.before,
        "is_window": bool(window.messages) and window.messages[-1].id != conversation.head_id,
        "aside": around if window.is_aside else None,
        "composer": composer,
        "refreshes": composer.running_job_id is not None and not still,
    }


def running_job(window: Window) -> str | None:
    """What the composer's button stops: of several answers the first, which is the one that is being written."""
    return next((message.job_id for message in window.messages if message.status == "generating"), None)
