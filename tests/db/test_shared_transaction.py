"""Transactions that wait at the same time: one commit for all, and each for itself when it fails."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import shared_transaction, sqlite
from app.db.session import Database, after_commit
from app.errors import AppError

pytestmark = pytest.mark.sqlite

INSERT = text("INSERT INTO numbers (value) VALUES (:value)")


def adding(value: int, then: Exception | None = None) -> Callable[[AsyncSession], Coroutine[Any, Any, int]]:
    async def step(session: AsyncSession) -> int:
        await session.execute(INSERT, {"value": value})
        if then is not None:
            raise then
        return value

    return step


async def values_in(numbers: Database) -> list[int]:
    return [row[0] for row in await numbers.lookup.all("SELECT value FROM numbers WHERE id > 1 ORDER BY id", {})]


@pytest.fixture(autouse=True)
def _a_slow_machine_makes_one_commit_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_transaction, "LONGEST_SECONDS", 10)


@pytest.fixture
def commits(numbers: Database) -> list[bool]:
    """One element for each commit."""
    found: list[bool] = []
    assert numbers._shared is not None
    event.listen(numbers._shared._engine, "commit", lambda _: found.append(True))
    return found


async def test_those_that_wait_together_are_one_commit_in_their_order(numbers: Database, commits: list[bool]) -> None:
    async with numbers.my_turn():
        waiting = [asyncio.create_task(numbers.in_shared_transaction(adding(value))) for value in range(5)]
        await asyncio.sleep(0.05)
        assert await values_in(numbers) == []
    assert await asyncio.gather(*waiting) == [0, 1, 2, 3, 4]
    assert await values_in(numbers) == [0, 1, 2, 3, 4]
    assert len(commits) == 1


async def test_one_that_fails_leaves_nothing_and_takes_nobody_with_it(numbers: Database, commits: list[bool]) -> None:
    steps = [adding(1), adding(2, then=ZeroDivisionError()), adding(1_000_000), adding(3)]
    async with numbers.my_turn():
        waiting = asyncio.gather(*map(numbers.in_shared_transaction, steps), return_exceptions=True)
        await asyncio.sleep(0.05)
    first, refused, checked, last = await waiting
    assert (first, last) == (1, 3)
    assert isinstance(refused, ZeroDivisionError)
    assert "CHECK constraint failed" in str(checked)
    assert await values_in(numbers) == [1, 3]
    assert len(commits) == 1


async def test_one_that_is_alone_leaves_nothing_either_when_it_fails(numbers: Database, commits: list[bool]) -> None:
    with pytest.raises(ZeroDivisionError):
        await numbers.in_shared_transaction(adding(1, then=ZeroDivisionError()))
    assert commits == []
    assert await numbers.in_shared_transaction(adding(2)) == 2
    assert await values_in(numbers) == [2]
    assert len(commits) == 1


async def test_what_is_to_follow_follows_the_commit_and_only_of_those_that_are_in_it(numbers: Database) -> None:
    seen: list[tuple[int, int]] = []
    other = sqlite.connect(str(numbers.where), write=False)

    def telling(value: int, then: Exception | None = None) -> Callable[[AsyncSession], Coroutine[Any, Any, int]]:
        async def step(session: AsyncSession) -> int:
            count = "SELECT count(*) FROM numbers WHERE id > 1"
            after_commit(session, lambda: seen.append((value, other.execute(count).fetchone()[0])))
            return await adding(value, then)(session)

        return step

    async with numbers.my_turn():
        steps = [telling(1), telling(2, ZeroDivisionError()), telling(3)]
        waiting = asyncio.gather(*map(numbers.in_shared_transaction, steps), return_exceptions=True)
        await asyncio.sleep(0.05)
        assert seen == []
    await waiting
    assert seen == [(1, 2), (3, 2)]
    other.close()


async def test_a_commit_that_fails_fails_for_all(numbers: Database) -> None:
    """A constraint that is checked at COMMIT."""
    async with numbers.transaction() as session:
        await session.execute(
            text("CREATE TABLE children (parent INTEGER REFERENCES numbers (id) DEFERRABLE INITIALLY DEFERRED)")
        )
    told: list[bool] = []

    async def orphan(session: AsyncSession) -> None:
        after_commit(session, lambda: told.append(True))
        await session.execute(text("INSERT INTO children VALUES (99)"))

    async with numbers.my_turn():
        steps = (adding(1), orphan)
        waiting = asyncio.gather(*map(numbers.in_shared_transaction, steps), return_exceptions=True)
        await asyncio.sleep(0.05)
    assert ["FOREIGN KEY" in str(error) for error in await waiting] == [True, True]
    assert await values_in(numbers) == []
    assert told == []
    assert await numbers.in_shared_transaction(adding(2)) == 2
    assert await values_in(numbers) == [2]


async def test_a_full_disk_is_told_to_each_that_it_meets(numbers: Database) -> None:
    async def limited(session: AsyncSession) -> int:
        pages = await session.scalar(text("PRAGMA page_count"))
        return int(await session.scalar(text(f"PRAGMA max_page_count = {pages}")) or 0)

    async def grow(session: AsyncSession) -> None:
        await session.execute(text("INSERT INTO large (text) VALUES (hex(zeroblob(100000)))"))

    async with numbers.transaction() as session:
        await session.execute(text("CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT)"))
    await numbers.in_shared_transaction(limited)
    for _ in range(2):
        with pytest.raises(AppError) as refused:
            await numbers.in_shared_transaction(grow)
        assert refused.value.code == "storage_full"
    assert await numbers.in_shared_transaction(adding(5)) == 5
    assert await values_in(numbers) == [5]


async def test_a_database_that_somebody_else_holds_is_an_answer_for_all_who_wait(
    numbers: Database,
) -> None:
    async def impatient(session: AsyncSession) -> None:
        await session.execute(text("PRAGMA busy_timeout = 50"))

    await numbers.in_shared_transaction(impatient)
    other = sqlite.connect(str(numbers.where), write=True)
    other.execute("BEGIN IMMEDIATE")
    steps = (adding(1), adding(2))
    errors = await asyncio.gather(*map(numbers.in_shared_transaction, steps), return_exceptions=True)
    assert [isinstance(error, AppError) and error.code for error in errors] == ["database_unavailable"] * 2
    other.execute("ROLLBACK")
    other.close()
    assert await numbers.in_shared_transaction(adding(3)) == 3
    assert await values_in(numbers) == [3]


async def test_a_step_that_waits_for_something_else_is_refused(numbers: Database) -> None:
    async def dawdle(session: AsyncSession) -> None:
        await session.execute(INSERT, {"value": 1})
        await asyncio.sleep(0)

    async with numbers.my_turn():
        steps = (dawdle, adding(2))
        waiting = asyncio.gather(*map(numbers.in_shared_transaction, steps), return_exceptions=True)
        await asyncio.sleep(0.05)
    wrong, right = await waiting
    assert isinstance(wrong, RuntimeError)
    assert right == 2
    assert await values_in(numbers) == [2]


async def test_who_goes_away_before_his_turn_has_asked_for_nothing(numbers: Database) -> None:
    async with numbers.my_turn():
        waiting = [asyncio.create_task(numbers.in_shared_transaction(adding(value))) for value in (1, 2)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
    assert await waiting[1] == 2
    assert waiting[0].cancelled()
    assert await values_in(numbers) == [2]


async def test_others_have_their_turn_in_between(numbers: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait: the event log is not held up by all of them at once."""
    monkeypatch.setattr(shared_transaction, "LONGEST_SECONDS", 0)
    begun, may_end = threading.Event(), threading.Event()
    seen: list[list[int]] = []

    async def slow(session: AsyncSession) -> int:
        begun.set()
        may_end.wait(5)
        return await adding(0)(session)

    async def urgent() -> None:
        async with numbers.my_turn(urgent=True):
            seen.append(await values_in(numbers))

    async with numbers.my_turn():
        steps = (slow, adding(1), adding(2))
        waiting = [asyncio.create_task(numbers.in_shared_transaction(step)) for step in steps]
        await asyncio.sleep(0.05)
    assert await asyncio.to_thread(begun.wait, 5)
    log = asyncio.create_task(urgent())
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(*waiting, log)
    assert seen == [[0]]
    assert await values_in(numbers) == [0, 1, 2]


async def test_nobody_who_joins_a_line_that_cannot_be_served_is_forgotten(numbers: Database) -> None:
    """While the thread tells those who wait that nothing can be begun, others come."""

    async def impatient(session: AsyncSession) -> None:
        await session.execute(text("PRAGMA busy_timeout = 1"))

    await numbers.in_shared_transaction(impatient)
    other = sqlite.connect(str(numbers.where), write=True)
    other.execute("BEGIN IMMEDIATE")
    asked = []
    for value in range(300):
        asked.append(asyncio.create_task(numbers.in_shared_transaction(adding(value))))
        await asyncio.sleep(0.0005)
    _, forgotten = await asyncio.wait(asked, timeout=20)
    other.execute("ROLLBACK")
    other.close()
    assert forgotten == set()
    assert {type(task.exception()) for task in asked} == {AppError}
