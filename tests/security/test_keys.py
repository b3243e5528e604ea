"""The one secret: made once, for the owner's eyes, rotated without signing anybody out."""

import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.security import keys
from app.security.keys import Keyring, keyring_of, load_or_create
from app.settings import Settings


def _make(path: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    results.put(load_or_create(path))


def test_of_processes_that_start_together_one_makes_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "data" / keys.FILE
    context = multiprocessing.get_context("forkserver")
    barrier, results = context.Barrier(6), context.Queue()
    started = [context.Process(target=_make, args=(path, barrier, results)) for _ in range(6)]
    for process in started:
        process.start()
    found = {results.get(timeout=20) for _ in started}
    for process in started:
        process.join(10)
    results.close()
    results.join_thread()
    assert found == {path.read_bytes()}
    assert [item.name for item in path.parent.iterdir()] == [keys.FILE], "no draft is left"


@pytest.mark.parametrize("secret", [b"x" * 32, bytes(range(200))])
def test_keys_are_derived_by_hkdf(secret: bytes) -> None:
    derived = HKDF(SHA256(), 32, salt=None, info=b"teahouse cookies").derive(secret)
    assert Keyring(secret).key("cookies") == derived


def test_A68_the_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        secret = load_or_create(tmp_path / keys.FILE)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / keys.FILE).stat().st_mode) == 0o600
    assert len(bytes.fromhex(secret.decode())) == keys.SECRET_BYTES
    assert load_or_create(tmp_path / keys.FILE) == secret


def test_a_secret_that_is_too_short_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / keys.FILE).write_bytes(b"short\n")
    with pytest.raises(RuntimeError, match="too short"):
        load_or_create(tmp_path / keys.FILE)
    for secrets in ((), (b"x" * 31,), (b"x" * 32, b"")):
        with pytest.raises(ValueError, match="32 bytes"):
            Keyring(*secrets)


def test_each_purpose_has_a_key_of_its_own() -> None:
    ring = Keyring(b"a" * 32)
    made = {ring.key(purpose) for purpose in ("jwt", "refresh", "signing session", "signing csrf", "fingerprint")}
    assert len(made) == 5
    assert all(len(key) == 32 and key != b"a" * 32 for key in made)
    assert Keyring(b"a" * 32).key("jwt") == ring.key("jwt") != Keyring(b"b" * 32).key("jwt")


def test_A65_a_keyring_does_not_show_itself() -> None:
    ring = Keyring(b"very-secret-very-secret-very-secret")
    for shown in (repr(ring), str(ring), f"{ring}", ring.fingerprint):
        assert "secret" not in shown
        assert ring.key("jwt").hex() not in shown
    assert ring.fingerprint != Keyring(b"x" * 32).fingerprint


def test_the_old_secret_is_tried_after_the_new_one(tmp_path: Path) -> None:
    first = Settings(data_dir=tmp_path / "one")
    before = keyring_of(first)
    assert keyring_of(first) is before
    rotated = tmp_path / "two"
    rotated.mkdir()
    (rotated / keys.OLD_FILE).write_bytes((tmp_path / "one" / keys.FILE).read_bytes())
    after = keyring_of(Settings(data_dir=rotated))
    assert after.keys("jwt")[1:] == before.keys("jwt")
    assert after.key("jwt") != before.key("jwt")


def test_a_secret_from_the_environment_writes_no_file(tmp_path: Path) -> None:
    ring = keyring_of(Settings(data_dir=tmp_path, secret_key="from the environment, long enough"))
    assert ring.keys("jwt") == Keyring(b"from the environment, long enough").keys("jwt")
    assert list(tmp_path.iterdir()) == []
