"""How many run at once: as set, or learned; and nobody holds all of them while others are active."""

from typing import Any

import pytest

from app.jobs import slots
from app.jobs.counts import tidy
from app.jobs.slots import Learner, Slots, known, may_try_more, share, tried_more
from tests.jobs.rows import add_job, add_user, claim, claimed, transaction

QUEUE = "ollama"
LEARNED = Slots(1, learned=True)


def write(connection: Any, *jobs: str) -> None:
    """A word of each."""
    for job in jobs:
        connection.execute("UPDATE jobs SET last_event_id = last_event_id + 1 WHERE id = ?", (job,))


@pytest.fixture
def two(connection: Any, alice: str, bob: str) -> tuple[str, str]:
    """Running answers."""
    with transaction(connection):
        for user in (alice, bob):
            add_job(connection, user)
        return claimed(connection).id, claimed(connection).id


@pytest.mark.parametrize(
    ("looks", "count"),
    [
        (("ab", "ab", "ab"), 2),
        (("ab", "ab"), 2),
        (("ab",), 1),  # one ended, the other began
        (("a", "ab", "b"), 1),
        (("a", "a", "a"), 1),
        (("ab", "a", "ab", "b"), 1),
        (("ab", "a", "ab", "ab"), 2),
    ],
)
def test_only_what_writes_at_the_same_time_for_long_is_proof(
    connection: Any, two: tuple[str, str], looks: tuple[str, ...], count: int
) -> None:
    learn = Learner()
    with transaction(connection):
        learn(connection)
        for written in looks:
            write(connection, *(job for name, job in zip("ab", two, strict=True) if name in written))
            learn(connection)
        assert known(connection, QUEUE, LEARNED) == count
        assert known(connection, QUEUE, Slots(1)) == 1
        assert known(connection, QUEUE, Slots(4, learned=True)) == 4
        assert known(connection, "ollama/other", LEARNED) == 1


def test_what_was_proven_is_forgotten_after_a_day_and_proven_again(
    connection: Any, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Learner()
    with transaction(connection):
        for _ in range(3):
            learn(connection)
            write(connection, *two)
        assert known(connection, QUEUE, LEARNED) == 2
        connection.execute("UPDATE queue_slots SET slots = 3, proven_at = '2020-01-01T00:00:00.000000Z'")
        assert known(connection, QUEUE, LEARNED) == 1
        write(connection, *two)
        learn(connection)
        assert known(connection, QUEUE, LEARNED) == 2
        slots.forget(connection)
        assert known(connection, QUEUE, LEARNED) == 2
        connection.execute("UPDATE queue_slots SET proven_at = '2020-01-01T00:00:00.000000Z'")
        slots.forget(connection)
        assert connection.execute("SELECT count(*) FROM queue_slots").fetchone()[0] == 0


def test_one_more_is_tried_now_and_then(connection: Any, two: tuple[str, str]) -> None:
    with transaction(connection):
        assert may_try_more(connection, QUEUE, 1)
        tried_more(connection, QUEUE)
        assert not may_try_more(connection, QUEUE, 1)
        assert may_try_more(connection, "ollama/other", 1)
        connection.execute("UPDATE queue_slots SET tried_at = '2020-01-01T00:00:00.000000Z'")
        assert may_try_more(connection, QUEUE, 1)
        tried_more(connection, QUEUE)
        learn = Learner()
        for _ in range(3):
            learn(connection)
            write(connection, *two)
        assert may_try_more(connection, QUEUE, 2), "where two were proven, three are tried at once"
        assert not may_try_more(connection, QUEUE, 0), "no limit"
        assert not may_try_more(connection, QUEUE, slots.MOST_LEARNED)


def test_nobody_holds_all_slots_while_others_are_active(connection: Any, alice: str, bob: str) -> None:
    with transaction(connection):
        for _ in range(8):
            add_job(connection, alice)
        claimed(connection, slots=4)
        assert [share(connection, QUEUE, count) for count in (0, 1, 2, 4)] == [0, 1, 2, 4]
        add_job(connection, bob)
        claimed(connection, slots=4)
        tidy(connection)
        assert [share(connection, QUEUE, count) for count in (0, 1, 2, 4)] == [0, 1, 1, 3]
        assert share(connection, "openai", 4) == 4
        started = [claim(connection, slots=8, share=3) for _ in range(4)]
        assert [job and job.user_id for job in started] == [alice, alice, None, None]
        connection.execute("UPDATE waiting_users SET last_started = '2020-01-01T00:00:00.000000Z' WHERE jobs = 0")
        assert share(connection, QUEUE, 4) == 4


def test_a_newcomer_is_somebody_who_has_nothing_running(connection: Any, alice: str, bob: str) -> None:
    with transaction(connection):
        add_job(connection, alice)
        add_job(connection, alice)
        claimed(connection, slots=1)
        assert claim(connection, slots=2, newcomers=True) is None
        add_job(connection, bob)
        assert claim(connection, slots=1) is None
        assert claimed(connection, slots=2, newcomers=True).user_id == bob


def test_active_are_those_of_whom_something_was_started_of_late(connection: Any, alice: str) -> None:
    with transaction(connection):
        others = [add_user(connection, f"person{number}") for number in range(3)]
        for user in others:
            add_job(connection, user)
            claimed(connection)
        tidy(connection)
        add_job(connection, alice)
        claimed(connection)
        assert share(connection, QUEUE, 4) == 3
