"""The form that a message is written in, and what lies around it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.conversations.models import Conversation, Message
from app.generations.options import LIMITS, typed_options
from app.providers.catalog import ModelList
from app.web.context_use import ContextUse, Usage, context_use, usage_of
from app.web.forms import FormState
from app.web.model_choice import ModelChoices, choices_of

OPTION_FIELDS = ("system_prompt", *LIMITS, "think")


@dataclass(frozen=True, slots=True)
class Composer:
    """`running_job_id`: the answer that its button stops; `head_id`: the last message that its writer has seen.

    After a refusal it holds what was typed, and why.

    `settings`: the fields behind the disclosure; `differs`: some of them are not left to the model.
    """

    action: str
    models: ModelChoices
    model: str | None
    conversation_id: str | None = None
    running_job_id: str | None = None
    head_id: str | None = None
    text: str = ""
    error: str = ""
    settings: FormState = field(default_factory=FormState)
    differs: bool = False
    context: ContextUse | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def may_think(self) -> bool:
        """Whether the chosen model can be told to think; a choice that was made before stays in sight."""
        chosen = self.models.find(self.model)
        return bool((chosen and chosen.thinks) or self.settings.value("think"))


def composer_for_new(listed: ModelList, model: str | None, form: FormState | None = None) -> Composer:
    """For a conversation that its first message begins: its settings go along."""
    form = form or FormState()
    settings = _only_settings(form)
    chosen = form.value("model") or model
    return Composer(
        "/",
        choices_of(listed, chosen) if listed.items else ModelChoices((), listed.problems),
        chosen,
        text=form.value("content"),
        error=_error(form),
        settings=settings,
        differs=any(settings.values.values()),
    )


def composer_of(
    conversation: Conversation,
    listed: ModelList,
    running_job_id: str | None,
    form: FormState | None = None,
    *,
    answers: Iterable[Message] = (),
    settings: FormState | None = None,
) -> Composer:
    """Below a conversation. Its model is offered even while its server is away."""
    form = form or FormState()
    model = form.value("model") or conversation.model or (listed.first.id if listed.first else None)
    answers = list(answers)
    kept = typed_settings(conversation.system_prompt, conversation.options)
    return Composer(
        action=f"/c/{conversation.id}/messages",
        models=choices_of(listed, model),
        model=model,
        conversation_id=conversation.id,
        running_job_id=running_job_id,
        head_id=conversation.head_id,
        text=form.value("content"),
        error=_error(form),
        settings=settings or FormState(kept),
        differs=any(kept.values()),
        context=context_use([(m.model, m.usage) for m in answers], listed.items),
        usage=usage_of(m.usage for m in answers),
    )


def typed_settings(system_prompt: str, options: Mapping[str, Any]) -> dict[str, str]:
    return {"system_prompt": system_prompt, **typed_options(options)}


def _only_settings(form: FormState) -> FormState:
    values = {name: form.value(name) for name in OPTION_FIELDS}
    return FormState(values, {name: form.error(name) for name in OPTION_FIELDS if form.error(name)})


def _error(form: FormState) -> str:
    return form.error("content") or form.error("model") or form.error("")
