"""A keyring, and a clock that a test can turn."""

from datetime import UTC, datetime, timedelta

import pytest

from app.accounts import access_tokens, api_keys, credentials, invites, service, sessions
from app.security.keys import Keyring


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(b"a secret of these tests alone ....")


class Clock:
    """Wall-clock time that only a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (access_tokens, api_keys, credentials, invites, service, sessions):
        monkeypatch.setattr(module, "utcnow", clock)
    return clock
