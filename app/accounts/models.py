"""Rows: users, and everything a user can show to prove who they are."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.principal import Scope
from app.clock import utcnow
from app.db.base import Base, WithId
from app.db.types import Json, UtcDateTime

Role = Literal["admin", "member"]
SessionKind = Literal["page", "api"]


def _owner() -> Mapped[str]:
    return mapped_column(String(36), ForeignKey("users.id", ondelete="CASCADE"), index=True)


class User(WithId, Base):
    """A person. The folded columns are what is unique: no two names that differ only in case or width."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('admin', 'member')", name="role"),)

    username: Mapped[str] = mapped_column(String(64))
    username_folded: Mapped[str] = mapped_column(String(256), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_folded: Mapped[str] = mapped_column(String(1024), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(35), default="en")
    default_model: Mapped[str | None] = mapped_column(String(220))
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Session(WithId, Base):
    """One signed-in device, whichever face it used: cookie, access and refresh tokens all hang on this row."""

    __tablename__ = "sessions"

    user_id: Mapped[str] = _owner()
    kind: Mapped[SessionKind] = mapped_column(String(8))
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the password was given again; None: not yet
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class RefreshToken(Base):
    """One link of a session's chain of refresh tokens; the session is the family.

    The successor is derived from the token itself, so it can be given again without having been stored.
    """

    __tablename__ = "refresh_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(36), ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    successor_digest: Mapped[str | None] = mapped_column(String(64))


class ApiKey(WithId, Base):
    """A named, scoped, expiring secret for programs; only its digest is kept."""

    __tablename__ = "api_keys"

    user_id: Mapped[str] = _owner()
    session_id: Mapped[str | None] = mapped_column(String(36))  # of the sign-in that it was made by
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Scope]] = mapped_column(Json)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiKeyUse(Base):
    """From where a key was used, each address once."""

    __tablename__ = "api_key_uses"

    key_id: Mapped[str] = mapped_column(String(36), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(45), primary_key=True)
    user_agent: Mapped[str] = mapped_column(String(256))  # of the last use
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Invite(WithId, Base):
    """A way in for one person while sign-up is by invitation."""

    __tablename__ = "invites"

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    # The invitation outlives the account it made or was made by, so that it cannot be used twice.
    created_by: Mapped[str | None] = mapped_column(String(36), ForeignKey("users.id", ondelete="SET NULL"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    label: Mapped[str] = mapped_column(String(100), server_default="")  # for whom it is, in its maker's words
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_by: Mapped[str | None] = mapped_column(String(36), ForeignKey("users.id", ondelete="SET NULL"), index=True)


class ServerSetting(Base):
    """What administrators set by hand, over which the environment wins; and which secret the database is used with."""

    __tablename__ = "server_settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
