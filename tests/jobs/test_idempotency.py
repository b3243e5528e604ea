"""One key, one answer."""

import pytest

from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.jobs.idempotency import check_key, fingerprint, recall, remember
from app.jobs.queue import enqueue


async def stored(database: Database, user_id: str, key: str, wanted: str) -> str:
    async with database.transaction() as session:
        job, _ = await enqueue(session, kind="stub", user_id=user_id, queue="ollama")
        await remember(session, user_id, key, wanted, job.id, '{"made": 1}')
    return job.id


async def test_a_known_key_gives_its_answer_again(database: Database, alice: str) -> None:
    job_id = await stored(database, alice, "k", "same")
    async with database.read() as session:
        assert await recall(session, alice, "k", "same") == (job_id, '{"made": 1}')
        assert await recall(session, alice, "other", "same") is None


async def test_a_known_key_with_another_request_is_refused(database: Database, alice: str) -> None:
    await stored(database, alice, "k", "same")
    async with database.read() as session:
        with pytest.raises(AppError) as refused:
            await recall(session, alice, "k", "different")
    assert (refused.value.kind, refused.value.code) == (ErrorKind.invalid, "idempotency_mismatch")


async def test_another_users_key_is_another_key(database: Database, alice: str, bob: str) -> None:
    await stored(database, alice, "k", "same")
    async with database.read() as session:
        assert await recall(session, bob, "k", "different") is None
    assert await stored(database, bob, "k", "different")


@pytest.mark.parametrize("key", ["", "a" * 256, "with space", "é", "tab\t", "line\n", "nul\0"])
def test_a_key_of_the_wrong_shape_is_refused(key: str) -> None:
    with pytest.raises(AppError) as refused:
        check_key(key)
    assert refused.value.code == "bad_idempotency_key"


@pytest.mark.parametrize("key", ["a", "~" * 255, "0197-uuid-like", "!"])
def test_visible_ascii_is_a_key(key: str) -> None:
    assert check_key(key) == key


def test_a_fingerprint_changes_with_method_path_and_any_byte_of_the_body() -> None:
    prints = [
        fingerprint("POST", "/a", b"{}"),
        fingerprint("PUT", "/a", b"{}"),
        fingerprint("POST", "/b", b"{}"),
        fingerprint("POST", "/a", b"{ }"),
        fingerprint("POST", "/a\0", b"{}"),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint("POST", "/a", b"{}") == prints[0]
