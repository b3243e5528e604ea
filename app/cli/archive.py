"""A backup in one file: the database, the secret, and a list of what is in it, by which it is checked."""

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

import orjson
import pysqlite3

from app import __version__, migrations
from app.cli.pacing import Pace, Writable, paced
from app.clock import rfc3339, utcnow
from app.db import sqlite
from app.security import age
from app.security.age import Identity, Passphrase, Recipient
from app.security.keys import FILE as SECRET

DATABASE, MANIFEST = "teahouse.db", "manifest.json"
PREFIX, SUFFIX, ENCRYPTED = "teahouse-", ".tar.gz", ".tar.gz.age"
COMPRESSION = 3  # of text, a third is left; a higher level takes the processor from whoever is chatting
CHUNK = 1024 * 1024
STEPS = 2000  # of SQLite's machine, between two looks at how much it has written: less than a megabyte


class ArchiveError(Exception):
    """The backup cannot be made, or what is in it is not what was put in."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a checked backup holds: the schema's revision, rows by table, SHA-256 by file."""

    revision: str
    made_at: str
    version: str
    rows: dict[str, int]
    files: dict[str, str]


def write(
    database: Path, secret: Path, folder: Path, to: Recipient | Passphrase | None = None
) -> tuple[Path, Contents]:
    """A new archive in `folder`, of a database that may be in use. It has its name only once it is checked.

    Encrypted `to` somebody, nothing that can be read is written anywhere but beside the database.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{PREFIX}{utcnow():%Y%m%dT%H%M%SZ}{ENCRYPTED if to else SUFFIX}"
    draft = path.with_suffix(".part")
    with tempfile.TemporaryDirectory(dir=database.parent if to else folder, prefix=".backup-") as work:
        copy = Path(work) / DATABASE
        _copy(database, copy)
        files = {DATABASE: copy, **({SECRET: secret} if secret.exists() else {})}
        contents = _contents(copy, files)
        packed = Path(work) / f"packed{SUFFIX}" if to else draft
        try:
            _pack(packed, files, contents)
            if _read_back(packed) != contents:
                raise ArchiveError(f"{packed} does not hold what was written.")
            if to is not None:
                _encrypt(packed, draft, to)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path, contents


def _encrypt(packed: Path, draft: Path, to: Recipient | Passphrase) -> None:
    """And read it back by the file's own key: what it is encrypted to may not be able to."""
    descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with packed.open("rb") as source, os.fdopen(descriptor, "wb") as target:
        file_key = age.encrypt(source, paced(target), to)
        target.flush()
        os.fsync(target.fileno())
    read_back = hashlib.sha256()
    with draft.open("rb") as source:
        age.decrypt(source, cast("IO[bytes]", Writable(read_back.update)), file_key)
    if read_back.hexdigest() != _digest(packed):
        raise ArchiveError(f"{draft} does not hold what was written.")


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` archives, encrypted or not; which."""
    old = sorted([*folder.glob(f"{PREFIX}*{SUFFIX}"), *folder.glob(f"{PREFIX}*{ENCRYPTED}")])[:-keep]
    for path in old:
        path.unlink()
    return old


def is_encrypted(path: Path) -> bool:
    with path.open("rb") as file:
        return age.is_encrypted(file.read(64))


@contextmanager
def opened(path: Path, folder: Path, by: Identity | Passphrase | None = None) -> Iterator[tuple[Path, Contents]]:
    """The archive's files, unpacked below `folder` for a while, and what they are: everything has been checked.

    Raises ArchiveError. Of the tar nothing but the names that we know is looked at.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as work:
        unpacked = Path(work)
        try:
            packed = path
            if by is not None:
                packed = unpacked / "packed"
                with path.open("rb") as source, packed.open("wb") as target:
                    age.decrypt(source, target, by)
            contents = _unpack(packed, unpacked)
        except age.AgeError as error:
            raise ArchiveError(f"{path}: {error}") from error
        except (tarfile.TarError, EOFError, OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ArchiveError(f"{path} is no backup, or is damaged: {error}") from error
        if _contents(unpacked / DATABASE, {name: unpacked / name for name in contents.files}, contents) != contents:
            raise ArchiveError(f"{path} is damaged: it does not hold what its list says.")
        yield unpacked, contents


def _copy(database: Path, copy: Path) -> None:
    """One snapshot of the database, taken by a reader: nobody waits for it. Never by reading its file."""
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite.connect(str(database), write=True)  # writes the copy, nothing else
    try:
        with copy.open("rb") as written:
            connection.set_progress_handler(Pace(written.fileno()), STEPS)
            connection.execute("VACUUM INTO ?", (str(copy),))
    except pysqlite3.Error as error:
        raise ArchiveError(f"{database} cannot be copied: {error}") from error
    finally:
        connection.close()


def _contents(database: Path, files: dict[str, Path], said: Contents | None = None) -> Contents:
    connection = pysqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        # A row may be several lines, of which the first says only which database it is about.
        checked = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        found = [line for row in checked for line in row.splitlines() if not line.startswith("***")]
        found += [f"{row[0]}: row {row[1]} points to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
        if found != ["ok"]:
            raise ArchiveError(f"{database.name} is not sound: {'; '.join(found[:3])}")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        rows = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except pysqlite3.Error as error:
        raise ArchiveError(f"{database.name} cannot be read: {error}") from error
    finally:
        connection.close()
    digests = {name: _digest(file) for name, file in files.items()}
    made_at, version = (said.made_at, said.version) if said else (rfc3339(utcnow()), __version__)
    return Contents(revision, made_at, version, rows, digests)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(path: Path, files: dict[str, Path], contents: Contents) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with tarfile.open(fileobj=paced(out), mode="w:gz", compresslevel=COMPRESSION) as tar:
            text = orjson.dumps(contents, option=orjson.OPT_INDENT_2)
            entry = tarfile.TarInfo(MANIFEST)
            entry.size, entry.mode = len(text), 0o600
            tar.addfile(entry, io.BytesIO(text))
            for name, file in files.items():
                tar.add(file, name, filter=_without_owner)
        out.flush()
        os.fsync(out.fileno())


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _read_back(path: Path) -> Contents:
    """What an archive says that it holds, with the digests of what it does. Unpacked it would all be written again."""
    with tarfile.open(path, "r:gz") as tar:
        contents = Contents(**orjson.loads(_member(tar, MANIFEST).read(CHUNK)))
        digests = {}
        for name in contents.files:
            with _member(tar, name) as source:
                digests[name] = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    return replace(contents, files=digests)


def _unpack(path: Path, folder: Path) -> Contents:
    with tarfile.open(path, "r:gz") as tar:
        contents = Contents(**orjson.loads(_member(tar, MANIFEST).read(CHUNK)))
        if DATABASE not in contents.files or not contents.files.keys() <= {DATABASE, SECRET}:
            raise KeyError("its list names other files than a backup has")
        for name in contents.files:
            target = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with _member(tar, name) as source, os.fdopen(target, "wb") as file:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
    return contents


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is no file")
    return file


def refuse_newer(contents: Contents) -> None:
    if contents.revision > migrations.newest_revision():
        raise ArchiveError(f"The backup is at {contents.revision}, newer than this program.")
