"""Which database a test runs on, and a plain connection to it as another process has one."""

import os
from typing import Any

from app.db import session
from app.settings import Settings

# Of this run of the tests: `make test` has one for each. `TEAHOUSE_TEST_DATABASE=postgresql pytest tests/jobs`.
CHOSEN = os.environ.get("TEAHOUSE_TEST_DATABASE", "sqlite")


def new_database_url() -> str:
    """Of an empty one for a server that a test starts, by what was chosen; "": SQLite in that server's data folder.

    A test that starts one takes `kind_of_database`, too, or it runs on SQLite only.
    """
    if CHOSEN == "sqlite":
        return ""
    from tests.postgres import shared_server

    return shared_server().new_database()


def plain_connection(settings: Settings, *, write: bool = True) -> Any:
    return session.plain_connection(settings.database, write=write, name="test")
