"""Statements by hand, as each driver wants them; what a text column cannot hold."""

from app.db.postgres import lock_number, without_nul
from app.db.spelling import for_asyncpg, for_psycopg, for_sqlalchemy


def test_placeholders_hints_and_what_only_postgresql_is_told() -> None:
    statement = "SELECT a::text, '100%' FROM t INDEXED BY ix WHERE b = :b AND c = ? OR d = :b /*postgres: FOR UPDATE */"
    assert for_psycopg(statement) == (
        "SELECT a::text, '100%%' FROM t  WHERE b = %(b)s AND c = %s OR d = %(b)s FOR UPDATE"
    )
    assert for_asyncpg("SELECT :after, :id, :after, '%'") == ("SELECT $1, $2, $1, '%'", ("after", "id"))
    assert for_sqlalchemy("SELECT :id FROM jobs INDEXED BY ix_jobs") == "SELECT :id FROM jobs "
    assert for_psycopg("BEGIN IMMEDIATE") == "BEGIN"


def test_a_nul_becomes_the_sign_for_what_cannot_be_shown() -> None:
    assert without_nul(("a\0b", 1, None)) == ("a\ufffdb", 1, None)
    assert without_nul({"a": "\0"}) == {"a": "\ufffd"}


def test_a_lock_has_the_same_number_in_every_process() -> None:
    assert lock_number("claims") == 5861538854992811258
    assert -(2**63) <= lock_number("sequence x") < 2**63
