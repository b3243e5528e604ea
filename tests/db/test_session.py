"""What follows a commit, and only a commit."""

import asyncio

import pytest
from sqlalchemy import text

from app.db.session import Database, after_commit, plain_connection


async def test_a_callback_runs_only_once_its_rows_are_durable(numbers: Database) -> None:
    seen: list[int] = []
    other = plain_connection(numbers.where, write=False)

    def look() -> None:
        seen.append(other.execute("SELECT value FROM numbers WHERE id = 1").fetchone()[0])

    async with numbers.transaction() as session:
        await session.execute(text("UPDATE numbers SET value = 8 WHERE id = 1"))
        after_commit(session, look)
        assert seen == []
    assert seen == [8]
    other.close()


async def test_a_callback_of_a_failed_transaction_never_runs(numbers: Database) -> None:
    called: list[bool] = []

    async def fail() -> None:
        async with numbers.transaction() as session:
            after_commit(session, lambda: called.append(True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert called == []


async def test_a_callback_does_not_run_when_the_commit_itself_fails(numbers: Database) -> None:
    """A constraint that is checked at COMMIT."""
    async with numbers.transaction() as session:
        await session.execute(
            text("CREATE TABLE children (parent INTEGER REFERENCES numbers (id) DEFERRABLE INITIALLY DEFERRED)")
        )
    called: list[bool] = []

    async def orphan() -> None:
        async with numbers.transaction() as session:
            await session.execute(text("INSERT INTO children VALUES (99)"))
            after_commit(session, lambda: called.append(True))

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await orphan()
    assert called == []
    async with numbers.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM children")) == 0


async def test_callbacks_run_in_order_and_outside_the_turn(numbers: Database) -> None:
    called: list[str] = []

    async def write_again() -> None:
        async with numbers.transaction() as session:
            after_commit(session, lambda: called.append("inner"))

    tasks: list[asyncio.Task[None]] = []
    async with numbers.transaction() as session:
        after_commit(session, lambda: called.append("first"))
        after_commit(session, lambda: tasks.append(asyncio.create_task(write_again())))
        after_commit(session, lambda: called.append("last"))
    await asyncio.wait_for(tasks[0], 2)
    assert called == ["first", "last", "inner"]


async def test_writers_of_one_process_wait_in_line_for_as_long_as_it_takes(numbers: Database) -> None:
    """Not in SQLite's busy handler, which is unfair."""
    order: list[int] = []

    async def write(number: int) -> None:
        async with numbers.transaction():
            order.append(number)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(write(number) for number in range(20)))
    assert order == list(range(20))


async def test_a_lookup_sees_each_commit_and_cannot_write(numbers: Database) -> None:
    statement = "SELECT value FROM numbers WHERE id = :id"
    assert await numbers.lookup.first(statement, {"id": 1}) == (0,)
    async with numbers.transaction() as session:
        await session.execute(text("UPDATE numbers SET value = 2 WHERE id = 1"))
    assert await numbers.lookup.first(statement, {"id": 1}) == (2,)
    assert await numbers.lookup.first(statement, {"id": 5}) is None
    with pytest.raises(Exception, match=r"read-?only"):
        await numbers.lookup.all("DELETE FROM numbers", {})


@pytest.mark.sqlite
async def test_lookups_of_the_same_moment_each_have_their_own_answer(numbers: Database) -> None:
    """More than one visit to the thread; one of them fails, one has gone away."""
    statements = ["SELECT :number", *["SELECT CAST(:number AS TEXT) || '!'"] * 38, "SELECT nothing"]
    asked = [asyncio.ensure_future(numbers.lookup.first(s, {"number": n})) for n, s in enumerate(statements)]
    asked[7].cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert found[0] == (0,)
    assert isinstance(found[7], asyncio.CancelledError)
    assert isinstance(found[39], Exception)
    assert [f for n, f in enumerate(found) if n not in (0, 7, 39)] == [(f"{n}!",) for n in range(1, 39) if n != 7]


async def test_a_lookup_that_is_under_way_is_answered_before_the_end(numbers: Database) -> None:
    asked = asyncio.ensure_future(numbers.lookup.first("SELECT value FROM numbers", {}))
    await asyncio.sleep(0)
    await numbers.lookup.close()
    assert await asyncio.wait_for(asked, 2) == (0,)
