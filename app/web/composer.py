"""The form that a message is written in."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.conversations.models import Conversation
from app.providers.base import ModelInfo
from app.providers.catalog import ModelList
from app.web.forms import FormState


@dataclass(frozen=True, slots=True)
class Composer:
    """`running_job_id`: the answer that its button stops. After a refusal it holds what was typed, and why."""

    action: str
    models: Sequence[ModelInfo]
    model: str | None
    conversation_id: str | None = None
    running_job_id: str | None = None
    text: str = ""
    error: str = ""


def composer_for_new(listed: ModelList, model: str | None, form: FormState | None = None) -> Composer:
    """For a conversation that its first message begins."""
    form = form or FormState()
    return Composer("/", listed.items, form.value("model") or model, text=form.value("content"), error=_error(form))


def composer_of(
    conversation: Conversation, listed: ModelList, running_job_id: str | None, form: FormState | None = None
) -> Composer:
    """Below a conversation. Its model is offered even while its server is away."""
    form = form or FormState()
    model = form.value("model") or conversation.model
    models = list(listed.items)
    if model and model not in {known.id for known in models}:
        provider, _, name = model.partition("/")
        models.append(ModelInfo(provider, name))
    return Composer(
        action=f"/c/{conversation.id}/messages",
        models=models,
        model=model,
        conversation_id=conversation.id,
        running_job_id=running_job_id,
        text=form.value("content"),
        error=_error(form),
    )


def _error(form: FormState) -> str:
    return form.error("content") or form.error("model") or form.error("")
