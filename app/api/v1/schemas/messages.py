"""Messages as they go over the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.api.v1.schemas.base import Id, Schema, Timestamp, View
from app.api.v1.schemas.conversations import ModelId, Options
from app.api.v1.schemas.jobs import ErrorView, JobView
from app.clock import rfc3339
from app.conversations.models import Message
from app.rendering import escape_text, render_markdown

MAX_CONTENT = 100_000


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "A message needs some text")
    return text


Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT), AfterValidator(_not_blank)]


class MessageCreate(Schema):
    """`parent_id` absent: below the leaf in view; null: a new root. A `model` becomes the conversation's.

    `seen_head_id`: the last message that its writer has seen; refused with `newer_messages` if another one is the last.
    """

    content: Content
    parent_id: Id | None = None
    model: ModelId | None = None
    options: Options | None = None
    seen_head_id: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "How long should green tea steep?"}]})


class MessageEdit(Schema):
    content: Content

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "How long should black tea steep?"}]})


class Regenerate(Schema):
    model: ModelId | None = None
    options: Options | None = None


class Usage(View):
    prompt_tokens: int | None
    completion_tokens: int | None
    ttft_ms: int | None
    tokens_per_second: float | None
    context_length: int | None
    prompt_cut: bool | None = Field(None, description="the model server left out a part of the prompt without a word")
    ignored_options: list[str] | None = Field(None, description="what the model server did not take, where it said so")


class SupersededText(View):
    """A text that was shown and that a restart replaced."""

    content: str
    thinking: str
    reason: str


class MessageView(View):
    """`content_html` only with `?format=html`."""

    id: Id
    conversation_id: Id
    parent_id: Id | None
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    thinking: str
    status: Literal["complete", "generating", "stopped", "failed"]
    finish_reason: str | None = Field(
        description="stop, length, cancelled, limit, content_filter, refusal, tool_calls; else the server's own word",
        examples=["stop"],
    )
    model: str | None
    usage: Usage | None
    error: ErrorView | None
    superseded: list[SupersededText]
    sibling_ids: list[Id]
    job_id: Id | None
    created_at: Timestamp
    content_html: str | None = Field(None, description="sanitised HTML of `content`")


class MessageWindow(View):
    """A stretch of the branch in view, newest last. `prev_cursor` null: the conversation begins here."""

    items: list[MessageView]
    prev_cursor: str | None


class AcceptedView(View):
    job: JobView
    user_message: MessageView
    assistant_message: MessageView


_AS_STORED = (
    "id",
    "conversation_id",
    "parent_id",
    "role",
    "content",
    "thinking",
    "status",
    "finish_reason",
    "model",
    "usage",
    "error",
    "superseded",
    "job_id",
)


def message_json(message: Message, siblings: list[str], *, html: bool = False) -> dict[str, Any]:
    """`message.content` must already be the text so far, for one that is being written."""
    # A fifth of the time of a long list went into the ORM's attributes. What was never set is not there: null.
    row = vars(message)
    body: dict[str, Any] = {name: row.get(name) for name in _AS_STORED}
    body["sibling_ids"] = siblings
    body["created_at"] = rfc3339(row["created_at"])
    if html:
        body["content_html"] = html_of(message)
    return body


def html_of(message: Message) -> str:
    """A model's text is Markdown; a person's is text. Rendering takes time: call it off the event loop."""
    if message.role == "user":
        return escape_text(message.content)
    return render_markdown(message.content, id_prefix=f"m-{message.id}-")
