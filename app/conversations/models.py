"""Rows of the message tree."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db.base import Base, WithId, some
from app.db.types import Json, UtcDateTime


class Conversation(WithId, Base):
    __tablename__ = "conversations"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200), default="")
    title_origin: Mapped[str] = mapped_column(String(8), default="text")  # text, model or user: a person's title stays
    model: Mapped[str | None] = mapped_column(String(256))
    system_prompt: Mapped[str] = mapped_column(Text, default="")
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    pinned: Mapped[bool] = mapped_column(default=False)
    archived: Mapped[bool] = mapped_column(default=False)
    head_id: Mapped[str | None] = mapped_column(String(36))  # leaf of the branch in view
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # gone for everybody; can be undone for a while

    __table_args__ = (
        Index("ix_conversations_recent", "user_id", "archived", "updated_at", "id"),
        some("ix_conversations_pinned", "user_id", "updated_at", "id", where="pinned"),
        some("ix_conversations_deleted", "deleted_at", where="deleted_at IS NOT NULL"),
    )


class Message(WithId, Base):
    """A node. Editing and regenerating add a sibling; only the run that writes an answer changes it.

    `parent_id` has no foreign key: SQLite cascades to a depth of 1,000 only, branches are deeper.
    """

    __tablename__ = "messages"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(String(36))
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text, default="")
    thinking: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="complete")
    # SQLite knows no lengths, so that there nothing had to change when it grew.
    finish_reason: Mapped[str | None] = mapped_column(String(16).with_variant(String(64), "postgresql"))
    model: Mapped[str | None] = mapped_column(String(256))
    usage: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    superseded: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)  # texts that a restart replaced
    job_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (Index("ix_messages_tree", "conversation_id", "parent_id", "id"),)
