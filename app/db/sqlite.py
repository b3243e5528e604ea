"""SQLite by pysqlite3: Debian's own library has the WAL-reset corruption bug (3.7.0 to 3.51.2)."""

import sys

import pysqlite3

# Under aiosqlite and SQLAlchemy, which import the standard name. Must run before either is imported.
sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

SYNCHRONOUS = {"full": "FULL", "mixed": "FULL", "normal": "NORMAL"}
FIRST_SAFE_VERSION = (3, 51, 3)


def pragmas(*, write: bool, synchronous: str) -> tuple[str, ...]:
    """What every connection is told. Readers are told in addition that they may not write."""
    return (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "busy_timeout=5000",
        "foreign_keys=ON",
        "journal_size_limit=67108864",
        "mmap_size=0",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "temp_store=MEMORY",
        "cache_size=-8192",
        *(() if write else ("query_only=ON",)),
    )


def casefold(text: str | None) -> str | None:
    """For comparing words of any language; SQLite's own lower() knows English letters only."""
    return text and text.casefold()


def prepare(connection: "pysqlite3.Connection", *, write: bool, synchronous: str = "FULL") -> None:
    """Set the pragmas. The driver begins nothing by itself: whoever opens a transaction says which kind."""
    connection.isolation_level = None
    connection.create_function("casefold", 1, casefold, deterministic=True)
    for pragma in pragmas(write=write, synchronous=synchronous):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def connect(path: str, *, write: bool, synchronous: str = "FULL") -> "pysqlite3.Connection":
    """A plain connection for a thread of its own (event log, migrations' lock, tailer)."""
    connection = pysqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    prepare(connection, write=write, synchronous=synchronous)
    return connection
