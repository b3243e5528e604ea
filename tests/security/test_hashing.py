"""Password hashes: forms of one password, never two without a turn, the same work for nobody."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.errors import AppError
from app.security import hashing
from tests.conftest import REAL_HASHES


@pytest.fixture(autouse=True)
def _in_earnest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in REAL_HASHES.items():
        monkeypatch.setattr(hashing, name, value)
    hashing._hasher.cache_clear()
    yield
    hashing._hasher.cache_clear()


async def test_a_password_is_verified_and_no_other() -> None:
    stored = await hashing.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct horse" not in stored
    assert await hashing.verify_password("correct horse", stored)
    assert not await hashing.verify_password("correct horsf", stored)
    assert not await hashing.verify_password("", stored)
    assert not hashing.needs_rehash(stored)


async def test_two_hashes_of_one_password_differ() -> None:
    assert await hashing.hash_password("the same one") != await hashing.hash_password("the same one")


async def test_A38_two_forms_of_one_text_are_one_password_and_long_ones_are_not_cut() -> None:
    stored = await hashing.hash_password("café-" + "x" * 100 + "1")
    assert await hashing.verify_password("cafe\u0301-" + "x" * 100 + "1", stored)
    assert not await hashing.verify_password("café-" + "x" * 100 + "2", stored), "bcrypt would stop at 72 bytes"
    with_nul = await hashing.hash_password("before\0after")
    assert not await hashing.verify_password("before\0other", with_nul)


async def test_A38_what_is_not_text_is_refused_and_never_right() -> None:
    with pytest.raises(AppError) as refused:
        await hashing.hash_password("\ud800 lone")
    assert refused.value.code == "invalid_text"
    assert not await hashing.verify_password("\ud800 lone", hashing.DUMMY_HASH)


async def test_A26_nobody_costs_the_same_work_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = hashing._matches

    def counted(stored: str, secret: bytes) -> bool:
        seen.append(stored)
        return real(stored, secret)

    monkeypatch.setattr(hashing, "_matches", counted)
    assert not await hashing.verify_password("any password", None)
    assert not await hashing.verify_password("\ud800", await hashing.hash_password("any password"))
    assert seen == [hashing.DUMMY_HASH] * 2
    assert not hashing.needs_rehash(hashing.DUMMY_HASH), "the dummy must cost what a new hash costs"


async def test_a_damaged_hash_is_simply_wrong() -> None:
    for damaged in ("", "!", "$argon2id$", hashing.DUMMY_HASH[:-3]):
        assert not await hashing.verify_password("any password", damaged)


async def test_no_more_than_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = most = 0
    lock = threading.Lock()
    gate, full = threading.Event(), threading.Event()

    def work(stored: str, secret: bytes) -> bool:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
            if now >= hashing.AT_ONCE:
                full.set()
        gate.wait(5)
        with lock:
            now -= 1
        return True

    monkeypatch.setattr(hashing, "_matches", work)
    asked = [asyncio.create_task(hashing.verify_password("x", "y")) for _ in range(8)]
    await asyncio.to_thread(full.wait, 5)
    gate.set()
    assert all(await asyncio.gather(*asked))
    assert most == hashing.AT_ONCE


async def test_who_waits_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(hashing, "_matches", lambda stored, secret: gate.wait(5))
    monkeypatch.setattr(hashing, "PATIENCE", 0.05)
    busy = [asyncio.create_task(hashing.verify_password("x", "y")) for _ in range(hashing.AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(AppError) as refused:
        await hashing.verify_password("x", "y")
    assert (refused.value.kind, refused.value.retry_after) == ("unavailable", 2)
    busy[0].cancel()
    gate.set()
    await asyncio.gather(*busy, return_exceptions=True)
    assert await hashing.verify_password("x", "y"), "a caller that went away gives its turn back"
