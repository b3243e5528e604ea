"""Pragmas through the pool, kinds of transaction, and what a cancelled task leaves."""

import asyncio
import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import sqlite
from app.db.session import Database
from app.errors import AppError, ErrorKind

WANTED = {
    "journal_mode": "wal",
    "foreign_keys": 1,
    "synchronous": 2,
    "busy_timeout": 5000,
    "mmap_size": 0,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "temp_store": 2,
    "cache_size": -8192,
    "journal_size_limit": 67108864,
}


async def pragmas(session: AsyncSession) -> dict[str, object]:
    return {name: await session.scalar(text(f"PRAGMA {name}")) for name in [*WANTED, "query_only"]}


async def write(database: Database, *statements: str) -> None:
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def value_of(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(text("SELECT value FROM numbers WHERE id = 1")) or 0)


@pytest.mark.sqlite
async def test_the_writer_of_the_pool_has_its_pragmas(numbers: Database) -> None:
    async with numbers.transaction() as session:
        assert await pragmas(session) == WANTED | {"query_only": 0}


@pytest.mark.sqlite
async def test_every_reader_of_the_pool_has_its_pragmas(numbers: Database) -> None:
    barrier = asyncio.Barrier(4)

    async def look() -> dict[str, object]:
        async with numbers.read() as session:
            found = await pragmas(session)
            await barrier.wait()  # all four connections of the pool are in use now
            return found

    assert await asyncio.gather(*(look() for _ in range(4))) == [WANTED | {"query_only": 1}] * 4


@pytest.mark.sqlite
async def test_a_plain_connection_has_the_same_pragmas(numbers: Database) -> None:
    connection = sqlite.connect(str(numbers.where), write=True)
    assert {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in WANTED} == WANTED
    connection.close()


@pytest.mark.sqlite
async def test_sync_normal_reaches_the_connections(numbers: Database) -> None:
    database = Database(numbers.where, sync="normal")
    async with database.transaction() as session:
        assert await session.scalar(text("PRAGMA synchronous")) == 1
    await database.dispose()


def test_the_library_is_one_without_the_wal_reset_bug() -> None:
    import sqlite3

    assert sqlite3.sqlite_version_info >= sqlite.FIRST_SAFE_VERSION


@pytest.mark.sqlite
async def test_200_concurrent_read_then_write_lose_nothing(numbers: Database) -> None:
    other = Database(numbers.where)  # a second process's engines: only BEGIN IMMEDIATE orders these two

    async def add(database: Database) -> None:
        async with database.transaction() as session:
            value = await session.scalar(text("SELECT value FROM numbers WHERE id = 1"))
            await session.execute(text("UPDATE numbers SET value = :value WHERE id = 1"), {"value": value + 1})

    await asyncio.gather(*(add(numbers) for _ in range(100)), *(add(other) for _ in range(100)))
    await other.dispose()
    assert await value_of(numbers) == 200


async def test_a_reader_cannot_write(numbers: Database) -> None:
    with pytest.raises((AppError, DBAPIError)) as refused:
        async with numbers.read() as session:
            await session.execute(text("UPDATE numbers SET value = 7 WHERE id = 1"))
    assert re.search("read-?only", str(refused.value.__cause__))
    assert await value_of(numbers) == 0


async def test_a_reader_sees_one_snapshot(numbers: Database) -> None:
    async with numbers.read() as session:
        before = await session.scalar(text("SELECT value FROM numbers WHERE id = 1"))
        async with numbers.transaction() as writing:
            await writing.execute(text("UPDATE numbers SET value = 9 WHERE id = 1"))
        assert await session.scalar(text("SELECT value FROM numbers WHERE id = 1")) == before
    assert await value_of(numbers) == 9


async def test_a_task_cancelled_inside_its_transaction_rolls_back(numbers: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with numbers.transaction() as session:
            await session.execute(text("UPDATE numbers SET value = 5 WHERE id = 1"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value_of(numbers) == 0
    async with numbers.transaction() as session:  # and the writer is free again
        await session.execute(text("UPDATE numbers SET value = 6 WHERE id = 1"))
    assert await value_of(numbers) == 6


@pytest.mark.parametrize("hops", range(12))
async def test_cancelled_at_any_hop_a_transaction_is_whole_or_nothing(numbers: Database, hops: int) -> None:
    """A cancel may hit BEGIN, a statement or COMMIT inside the thread; the next one must find a clean connection."""

    async def write() -> None:
        async with numbers.transaction() as session:
            await session.execute(text("UPDATE numbers SET value = value + 1 WHERE id = 1"))
            await session.execute(text("INSERT INTO numbers (value) VALUES (1)"))

    task = asyncio.create_task(write())
    for _ in range(hops):
        await asyncio.sleep(0.0001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with numbers.transaction() as session:
        value = await session.scalar(text("SELECT value FROM numbers WHERE id = 1"))
        rows = await session.scalar(text("SELECT count(*) FROM numbers"))
    assert rows == 1 + value


@pytest.mark.sqlite
async def test_a_cancel_while_begin_waits_for_another_process_leaves_the_writer_usable(numbers: Database) -> None:
    other = sqlite.connect(str(numbers.where), write=True)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with numbers.transaction() as session:
            await session.execute(text("UPDATE numbers SET value = 1 WHERE id = 1"))

    task = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0)
    other.execute("COMMIT")
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(write(), 3)
    other.close()
    assert await value_of(numbers) == 1


@pytest.mark.sqlite
async def test_F19_a_database_locked_for_long_is_unavailable_with_retry_after(numbers: Database) -> None:
    async with numbers.transaction() as session:  # so that the pool's connection exists
        await session.execute(text("PRAGMA busy_timeout=50"))
    other = sqlite.connect(str(numbers.where), write=True)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AppError) as refused:
        await write(numbers, "UPDATE numbers SET value = 2 WHERE id = 1")
    other.execute("ROLLBACK")
    other.close()
    assert (refused.value.kind, refused.value.code) == (ErrorKind.unavailable, "database_unavailable")
    assert refused.value.retry_after
    async with numbers.transaction() as session:
        await session.execute(text("UPDATE numbers SET value = 3 WHERE id = 1"))
    assert await value_of(numbers) == 3


@pytest.mark.sqlite
async def test_F17_a_full_disk_is_named_and_leaves_nothing(numbers: Database) -> None:
    async with numbers.transaction() as session:
        await session.execute(text("CREATE TABLE texts (value TEXT)"))
        pages = await session.scalar(text("PRAGMA page_count"))
        await session.execute(text(f"PRAGMA max_page_count={pages + 1}"))
    with pytest.raises(AppError) as refused:
        await write(
            numbers, "UPDATE numbers SET value = 4 WHERE id = 1", f"INSERT INTO texts VALUES ('{'x' * 100_000}')"
        )
    assert (refused.value.kind, refused.value.code) == (ErrorKind.unavailable, "storage_full")
    assert await value_of(numbers) == 0
    async with numbers.transaction() as session:
        await session.execute(text("PRAGMA max_page_count=1000000"))
        await session.execute(text("INSERT INTO texts VALUES (:text)"), {"text": "x" * 100_000})
