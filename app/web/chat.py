"""What a conversation's page is drawn from."""

from typing import Any

from app.conversations.messages import Window, window_of
from app.conversations.models import Conversation
from app.web.composer import composer_of
from app.web.context import Visit
from app.web.forms import FormState
from app.web.message_views import window_views


async def chat_context(
    visit: Visit,
    conversation: Conversation,
    *,
    before: str | None = None,
    still: bool = False,
    form: FormState | None = None,
) -> dict[str, Any]:
    """Everything `conversations/show.html` and its blocks name."""
    window = await window_of(visit.session, conversation, before=before)
    messages = await window_views(visit.session, visit.principal, window, visit.live)
    sidebar = await visit.sidebar(current_id=conversation.id)
    await visit.session.close()
    listed = await visit.services.providers.models()
    composer = composer_of(conversation, listed, running_job(window), form)
    return {
        "sidebar": sidebar,
        "conversation": conversation,
        "messages": messages,
        "before": window.before,
        "is_window": before is not None,
        "composer": composer,
        "refreshes": composer.running_job_id is not None and not still,
    }


def running_job(window: Window) -> str | None:
    """What the composer's button stops: of several answers the first, which is the one that is being written."""
    return next((message.job_id for message in window.messages if message.status == "generating"), None)
