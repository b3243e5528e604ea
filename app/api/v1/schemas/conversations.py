"""Conversations as they go over the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.api.v1.schemas.base import Id, Schema, Timestamp, View
from app.clock import rfc3339
from app.conversations.models import Conversation
from app.generations.options import LIMITS, MAX_SYSTEM_PROMPT
from app.providers.base import MAX_MODEL_ID

ModelId = Annotated[
    str, StringConstraints(min_length=3, max_length=MAX_MODEL_ID, pattern=r"^(ollama|openai|embedded)/.+$")
]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _within(name: str) -> Any:
    return Field(None, ge=LIMITS[name].least, le=LIMITS[name].most)


class Options(Schema):
    """How the model is asked to write; null or absent: as the model server likes."""

    temperature: float | None = _within("temperature")
    top_p: float | None = _within("top_p")
    top_k: int | None = _within("top_k")
    max_tokens: int | None = _within("max_tokens")
    seed: int | None = _within("seed")
    stop: list[Stop] | None = Field(None, max_length=4)
    repeat_penalty: float | None = _within("repeat_penalty")
    num_ctx: int | None = _within("num_ctx")
    think: bool | Literal["low", "medium", "high", "max"] | None = None

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())


Title = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
SystemPrompt = Annotated[str, StringConstraints(max_length=MAX_SYSTEM_PROMPT)]


class ConversationCreate(Schema):
    """All optional: a title comes from the first message, a model from the user's default."""

    title: Title = ""
    model: ModelId | None = None
    system_prompt: SystemPrompt = ""
    options: Options | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Tea", "system_prompt": "Answer briefly."}]})


class ConversationUpdate(Schema):
    """What is absent stays. `head_id` takes any message and goes down to the newest leaf below it."""

    title: Title | None = None
    model: ModelId | None = None
    system_prompt: SystemPrompt | None = None
    options: Options | None = None
    pinned: bool | None = None
    archived: bool | None = None
    head_id: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Green tea", "pinned": True}]})

    def changes(self) -> dict[str, Any]:
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        changes = {name: value for name, value in changes.items() if value is not None or name == "model"}
        if "options" in changes:
            changes["options"] = changes["options"].given()
        return changes


class ConversationView(View):
    id: Id
    title: str
    model: str | None
    system_prompt: str
    options: dict[str, Any]
    pinned: bool
    archived: bool
    head_id: Id | None
    created_at: Timestamp
    updated_at: Timestamp


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "model": conversation.model,
        "system_prompt": conversation.system_prompt,
        "options": conversation.options,
        "pinned": conversation.pinned,
        "archived": conversation.archived,
        "head_id": conversation.head_id,
        "created_at": rfc3339(conversation.created_at),
        "updated_at": rfc3339(conversation.updated_at),
    }
