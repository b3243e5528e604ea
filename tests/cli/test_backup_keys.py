"""Encrypted backups: who writes them cannot read them, and nothing of them can be read on the way."""

from pathlib import Path

import pyrage
import pytest

from tests.cli.running import environment, teahouse
from tests.cli.test_backup import digest

SECRET = b"th-secret-" * 4


def run(data_dir: Path, *arguments: str, code: int = 0, setting: str = "") -> str:
    ran = teahouse(*arguments, env=environment(data_dir, TEAHOUSE_BACKUP_KEY=setting), cwd=data_dir.parent)
    assert ran.returncode == code, ran
    return ran.stdout + ran.stderr


@pytest.fixture
def here(data_dir: Path) -> Path:
    (data_dir / "secret.key").write_bytes(SECRET)
    (data_dir / "secret.key").chmod(0o600)
    return data_dir


def the_only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    assert path.name.endswith(".tar.gz.age") and path.stat().st_mode & 0o077 == 0
    return path


def test_for_a_key_that_is_elsewhere(here: Path, tmp_path: Path) -> None:
    before, key = digest(here), tmp_path / "teahouse.key"
    name, _, public = run(here, "backup-key", str(key)).splitlines()[-1].partition("=")
    assert name == "TEAHOUSE_BACKUP_KEY"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "encrypted, checked" in run(here, "backup", str(tmp_path / "away"), setting=public)
    path = the_only(tmp_path / "away")
    (here / "teahouse.db").unlink()
    (here / "secret.key").unlink()
    assert "--key" in run(here, "restore", str(path), code=1, setting=public)
    other = tmp_path / "other.key"
    run(here, "backup-key", str(other))
    assert "does not fit" in run(here, "restore", str(path), "--key", str(other), code=1)
    assert [each.name for each in here.iterdir()] == []
    run(here, "restore", str(path), "--key", str(key))
    assert digest(here) == before
    assert (here / "secret.key").read_bytes() == SECRET
    # Without Teahouse:
    (line,) = [line for line in key.read_text().splitlines() if not line.startswith("#")]
    assert pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(line)])[:2] == b"\x1f\x8b"


def test_with_a_passphrase(here: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("too short\n")
    assert "at least 16" in run(here, "backup", "--key", str(words), code=78)
    words.write_text("tea in the garden house\n")
    before = digest(here)
    run(here, "backup", str(tmp_path / "away"), setting=str(words))
    run(here, "restore", str(the_only(tmp_path / "away")), setting=str(words))
    assert digest(here) == before


def test_what_was_flipped_on_the_way_changes_nothing(here: Path, tmp_path: Path) -> None:
    key = tmp_path / "teahouse.key"
    run(here, "backup-key", str(key))
    run(here, "backup", str(tmp_path / "away"), "--key", str(key))
    path, before = the_only(tmp_path / "away"), digest(here)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "damaged" in run(here, "restore", str(path), "--key", str(key), code=1)
    assert digest(here) == before and not list(here.glob(".restore-*"))


def test_encrypted_ones_are_kept_as_long_as_others(here: Path, tmp_path: Path) -> None:
    away, key = tmp_path / "away", tmp_path / "teahouse.key"
    run(here, "backup-key", str(key))
    away.mkdir()
    for day, ending in ((10, ".tar.gz"), (11, ".tar.gz.age"), (12, ".tar.gz"), (13, ".tar.gz.age")):
        (away / f"teahouse-202611{day}T000000Z{ending}").touch()
    assert "Removed 2 older" in run(here, "backup", str(away), "--keep", "3", "--key", str(key))
    left = sorted(path.name for path in away.iterdir())
    assert left[:2] == ["teahouse-20261112T000000Z.tar.gz", "teahouse-20261113T000000Z.tar.gz.age"] and len(left) == 3


def test_a_key_is_not_written_over(here: Path, tmp_path: Path) -> None:
    key = tmp_path / "teahouse.key"
    run(here, "backup-key", str(key))
    content = key.read_bytes()
    assert "exists" in run(here, "backup-key", str(key), code=1)
    assert key.read_bytes() == content


@pytest.mark.parametrize("wrong", ["age1nonsense", "nowhere.key"])
def test_a_key_that_is_none_stops_the_backup(here: Path, tmp_path: Path, wrong: str) -> None:
    run(here, "backup", str(tmp_path / "away"), "--key", wrong, code=78)
    assert not (tmp_path / "away").exists()
