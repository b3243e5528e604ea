"""Accounts as they go over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from app.accounts.models import ApiKey, ApiKeyUse, Session, User
from app.api.v1.schemas.base import Id, Schema, Timestamp, View
from app.clock import rfc3339
from app.conversations.storage import Storage
from app.generations.allowance import Allowance
from app.providers.base import MAX_MODEL_ID

Username = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=256)]
Locale = Literal["en", "zh-CN"]
Scope = Literal["read", "write", "admin"]


class Register(Schema):
    username: Username
    email: Email
    password: Password
    invite: Annotated[str, StringConstraints(max_length=100)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"username": "alice", "email": "alice@example.org", "password": "a long password"}]
        }
    )


class LoginForm(Schema):
    """OAuth2's password flow; `username` may be the e-mail address."""

    username: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[str, StringConstraints(max_length=256)]
    grant_type: Literal["password"] = "password"
    scope: Annotated[str, StringConstraints(max_length=100)] = ""
    client_id: Annotated[str, StringConstraints(max_length=100)] | None = None
    client_secret: Annotated[str, StringConstraints(max_length=100)] | None = None


class UserCreate(Schema):
    username: Username
    email: Email
    password: Password
    role: Literal["admin", "member"] = "member"


class UserUpdate(Schema):
    """What is absent stays."""

    role: Literal["admin", "member"] | None = None
    disabled: bool | None = None
    email: Email | None = None


class MeUpdate(Schema):
    """What is absent stays; `default_model` null: none."""

    email: Email | None = None
    locale: Locale | None = None
    default_model: Annotated[str, StringConstraints(max_length=MAX_MODEL_ID)] | None = None


def changes_of(body: Schema, *, nullable: frozenset[str] = frozenset()) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return {name: value for name, value in given.items() if value is not None or name in nullable}


class PasswordChange(Schema):
    current_password: Annotated[str, StringConstraints(max_length=256)]
    new_password: Password


class PasswordConfirmation(Schema):
    password: Annotated[str, StringConstraints(max_length=256)]


class RefreshRequest(Schema):
    refresh_token: Annotated[str, StringConstraints(max_length=200)]


class ApiKeyCreate(Schema):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    scopes: list[Scope] = Field(["read", "write"], min_length=1, max_length=3)
    expires_at: AwareDatetime | None = Field(None, description="null: never. Absent: in 90 days.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "backup script", "scopes": ["read"]}]})


class UserView(View):
    id: Id
    username: str
    email: str
    role: Literal["admin", "member"]
    locale: str
    default_model: str | None
    disabled: bool
    created_at: Timestamp


class AllowanceView(View):
    """A user's tokens of today (UTC). `limit` null: none. `reserved`: what answers under way may come to."""

    used: int
    reserved: int
    limit: int | None
    ends_at: Timestamp


class StorageView(View):
    """Bytes of a user's messages. `limit` null: none. `reserved`: what answers under way may come to."""

    used: int
    reserved: int
    limit: int | None


class TokenView(View):
    """`refresh_token` is absent when the session cookie was used."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    refresh_token: str | None = None


class SessionView(View):
    id: Id
    kind: Literal["page", "api"]
    current: bool
    user_agent: str
    address: str
    created_at: Timestamp
    last_seen_at: Timestamp
    expires_at: Timestamp


class ApiKeyUseView(View):
    """From where a key was used last, with which program."""

    address: str
    user_agent: str
    last_used_at: Timestamp


class ApiKeyView(View):
    """`secret` is shown once, when the key is made. `uses`: each address once, the last use first, at most ten."""

    id: Id
    name: str
    scopes: list[Scope]
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    uses: list[ApiKeyUseView]
    secret: str | None = None


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None


def user_json(user: User) -> dict[str, Any]:
    names = ("id", "username", "email", "role", "locale", "default_model")
    return {
        **{name: getattr(user, name) for name in names},
        "disabled": user.disabled_at is not None,
        "created_at": rfc3339(user.created_at),
    }


def allowance_json(allowance: Allowance) -> dict[str, Any]:
    return {
        "used": allowance.used,
        "reserved": allowance.reserved,
        "limit": allowance.limit or None,
        "ends_at": rfc3339(allowance.ends_at),
    }


def storage_json(storage: Storage) -> dict[str, Any]:
    return {"used": storage.used, "reserved": storage.reserved, "limit": storage.limit or None}


def session_json(session: Session, current: str | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "kind": session.kind,
        "current": session.id == current,
        "user_agent": session.user_agent,
        "address": session.address,
        "created_at": rfc3339(session.created_at),
        "last_seen_at": rfc3339(session.last_seen_at),
        "expires_at": rfc3339(session.expires_at),
    }


def api_key_json(key: ApiKey, uses: Sequence[ApiKeyUse] = (), *, secret: str | None = None) -> dict[str, Any]:
    body = {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": rfc3339(key.created_at),
        "expires_at": _time(key.expires_at),
        "last_used_at": _time(key.last_used_at),
        "uses": [
            {"address": use.address, "user_agent": use.user_agent, "last_used_at": rfc3339(use.last_used_at)}
            for use in uses
        ],
    }
    return {**body, "secret": secret} if secret is not None else body
