"""SQL by hand is written once, in SQLite's spelling; this is how the same statement is spelled for PostgreSQL.

Three things differ: placeholders, hints to SQLite's planner, and what stands in `/*postgres: … */`, which SQLite skips.
"""

import re
from functools import cache

_PLANNER_HINT = re.compile(r"\bINDEXED BY \w+")
_POSTGRES_ONLY = re.compile(r"/\*postgres: (.*?) ?\*/")
_PLACEHOLDER = re.compile(r"(?<![:\w]):([a-z_]+)|\?|%")


def _plain(statement: str) -> str:
    statement = _POSTGRES_ONLY.sub(r"\1", _PLANNER_HINT.sub("", statement))
    return statement.replace("BEGIN IMMEDIATE", "BEGIN")


@cache
def for_psycopg(statement: str) -> str:
    """`?` becomes `%s`, `:name` becomes `%(name)s`."""
    spelled = {"?": "%s", "%": "%%"}
    return _PLACEHOLDER.sub(lambda found: spelled.get(found[0]) or f"%({found[1]})s", _plain(statement))


@cache
def for_asyncpg(statement: str) -> tuple[str, tuple[str, ...]]:
    """`:name` becomes `$1`, `$2` …; with the names in that order."""
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else found[0]

    return _PLACEHOLDER.sub(numbered, _plain(statement)), tuple(names)


@cache
def for_sqlalchemy(statement: str) -> str:
    return _plain(statement)
