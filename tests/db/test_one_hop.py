"""The cursor that visits the thread once does everything that the one of four visits did."""

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.db.one_hop import OneHopConnection, OneHopCursor
from app.db.session import Database

pytestmark = pytest.mark.sqlite


async def test_the_pool_hands_out_connections_with_this_cursor(numbers: Database) -> None:
    async with numbers.transaction() as session:
        raw = (await (await session.connection()).get_raw_connection()).dbapi_connection
        assert isinstance(raw, OneHopConnection)
    assert OneHopConnection._cursor_cls is OneHopCursor


async def test_a_statement_costs_one_visit_to_the_thread(numbers: Database) -> None:
    async with numbers.transaction() as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).dbapi_connection
        connection = raw._connection
        visits = 0
        execute = connection._execute

        async def counted(*arguments: Any, **keywords: Any) -> Any:
            nonlocal visits
            visits += 1
            return await execute(*arguments, **keywords)

        connection._execute = counted
        await session.execute(text("SELECT id, value FROM numbers WHERE id = :id"), {"id": 1})
        assert visits == 1


async def test_rows_come_by_one_by_some_and_all_at_once(numbers: Database) -> None:
    async with numbers.transaction() as session:
        await session.execute(text("INSERT INTO numbers (value) VALUES (:value)"), [{"value": n} for n in range(1, 10)])
        result = await session.execute(text("SELECT value FROM numbers ORDER BY id"))
        assert result.fetchone() == (0,)
        assert result.fetchmany(3) == [(1,), (2,), (3,)]
        assert [row.value for row in result] == [4, 5, 6, 7, 8, 9]


async def test_no_rows_and_no_result_are_told_apart(numbers: Database) -> None:
    async with numbers.transaction() as session:
        assert (await session.execute(text("SELECT value FROM numbers WHERE id = 9"))).all() == []
        assert not (await session.execute(text("UPDATE numbers SET value = 1"))).returns_rows  # type: ignore[attr-defined]


async def test_rowcount_and_lastrowid_are_those_of_the_statement(numbers: Database) -> None:
    async with numbers.transaction() as session:
        inserted: Any = await session.execute(text("INSERT INTO numbers VALUES (77, 1)"))
        assert inserted.lastrowid == 77
        changed: Any = await session.execute(text("UPDATE numbers SET value = 2"))
        assert changed.rowcount == 2
        untouched: Any = await session.execute(text("DELETE FROM numbers WHERE id = 5"))
        assert untouched.rowcount == 0


async def test_executemany_writes_each_row(numbers: Database) -> None:
    async with numbers.transaction() as session:
        rows = [{"id": n, "value": n} for n in range(10, 510)]
        written: Any = await session.execute(text("INSERT INTO numbers VALUES (:id, :value)"), rows)
        assert written.rowcount == 500
        assert await session.scalar(text("SELECT count(*) FROM numbers")) == 501


async def test_returning_gives_rows_and_the_statement_is_complete(numbers: Database) -> None:
    async with numbers.transaction() as session:
        updated = await session.execute(text("UPDATE numbers SET value = value + 5 RETURNING id, value"))
        assert updated.all() == [(1, 5)]
    async with numbers.read() as session:
        assert await session.scalar(text("SELECT value FROM numbers")) == 5


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("INSERT INTO numbers VALUES (1, 1)", IntegrityError),
        ("INSERT INTO numbers VALUES (2, 1000000)", IntegrityError),
        ("SELECT nothing FROM numbers", OperationalError),
        ("SELEKT", OperationalError),
    ],
)
async def test_an_error_is_the_dialects_own_and_the_transaction_goes_on(
    numbers: Database, statement: str, kind: type[Exception]
) -> None:
    async with numbers.transaction() as session:
        await session.execute(text("UPDATE numbers SET value = 3"))
        with pytest.raises(kind):
            await session.execute(text(statement))
        assert await session.scalar(text("SELECT value FROM numbers")) == 3


async def test_what_was_bound_is_not_quoted_in_an_error(numbers: Database) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with numbers.transaction() as session:
            await session.execute(text("INSERT INTO numbers VALUES (:id, :value)"), {"id": "secret", "value": 1})
    assert "secret" not in str(refused.value)


async def test_events_of_the_engine_still_see_statements(numbers: Database) -> None:
    """Tests that count queries rely on it."""
    seen: list[str] = []
    event.listen(numbers.reader.sync_engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    async with numbers.read() as session:
        await session.execute(text("SELECT 1"))
    assert seen == ["BEGIN", "SELECT 1"] or seen == ["SELECT 1"]
