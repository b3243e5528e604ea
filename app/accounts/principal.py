"""Who is calling, as a value."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from app.clock import utcnow
from app.errors import AppError, ErrorKind
from app.i18n import worded

Credential = Literal["cookie", "access_token", "api_key"]
Scope = Literal["read", "write", "admin"]
ALL_SCOPES: frozenset[str] = frozenset({"read", "write", "admin"})
CONFIRMED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Principal:
    """An argument of every domain verb, never a global. `session_id` is None for an API key.

    `confirmed_at`: when this sign-in last gave its password.
    """

    user_id: str
    username: str
    role: Literal["admin", "member"]
    credential: Credential
    session_id: str | None = None
    scopes: frozenset[str] = ALL_SCOPES
    api_key_id: str | None = None
    locale: str = "en"
    confirmed_at: datetime | None = field(default=None, compare=False)

    @property
    def is_admin(self) -> bool:
        return self.role == "admin" and "admin" in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise `forbidden` when the credential's scopes or the role do not reach that far."""
        if scope not in self.scopes or (scope == "admin" and self.role != "admin"):
            detail = worded("This needs the scope “{scope}”.", scope=scope)
            raise AppError(ErrorKind.forbidden, "insufficient_scope", detail)

    def require_session(self) -> None:
        """Raise `forbidden` for an API key: what decides over the account wants a person who signed in."""
        if self.session_id is None:
            raise AppError(ErrorKind.forbidden, "sign_in_needed", "An API key does not reach that far: sign in.")

    @property
    def has_confirmed(self) -> bool:
        return self.confirmed_at is not None and utcnow() - self.confirmed_at < CONFIRMED_FOR

    def require_recent_password(self) -> None:
        """Raise `forbidden` unless the password was given in the last ten minutes.

        Else an open browser or a stolen token would be enough to take the account over.
        """
        self.require_session()
        if not self.has_confirmed:
            raise AppError(ErrorKind.forbidden, "password_needed", "Enter your password: this is about your account.")
