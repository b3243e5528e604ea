"""Which database a test runs on, and a plain connection to it as another process has one."""

from typing import Any

import pytest

from app.db import session
from app.settings import Settings

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# What is about data is tested on both. Elsewhere a test that asks for a database gets SQLite, unless it is marked.
ON_BOTH = {"accounts", "api", "conversations", "db", "durability", "generations", "jobs"}

_chosen = SQLITE


def kinds_for(definition: pytest.Item) -> list[str]:
    """The databases that a test which asks for one is run on."""
    if definition.get_closest_marker("sqlite"):
        return [SQLITE]
    if definition.get_closest_marker("postgresql"):
        return [POSTGRESQL]
    folder = definition.path.relative_to(definition.config.rootpath / "tests").parts[0]
    return [SQLITE, POSTGRESQL] if folder in ON_BOTH or definition.get_closest_marker("both_databases") else [SQLITE]


def choose(kind: str) -> None:
    """For the servers that the next test starts."""
    global _chosen
    _chosen = kind


def chosen() -> str:
    """The kind of database of the running test."""
    return _chosen


def new_database_url() -> str:
    """Of an empty one for a server that a test starts; "": SQLite in that server's data folder.

    A test that starts one asks for `kind_of_database`, too, or it runs on SQLite only.
    """
    if _chosen == SQLITE:
        return ""
    from tests.postgres import shared_server

    return shared_server().new_database()


def plain_connection(settings: Settings, *, write: bool = True) -> Any:
    return session.plain_connection(settings.database, write=write, name="test")
