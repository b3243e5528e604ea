"""Which database a test runs on, and a plain connection to it as another process has one."""

import os
from typing import Any

from app.db import session
from app.settings import Settings

# What tests run on that do not say it themselves: `TEAHOUSE_TEST_DATABASE=postgresql pytest tests/jobs tests/api`.
CHOSEN = os.environ.get("TEAHOUSE_TEST_DATABASE", "sqlite")
BOTH = ("sqlite", "postgresql")


def plain_connection(settings: Settings, *, write: bool = True) -> Any:
    return session.plain_connection(settings.database, write=write, name="test")
