"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary folder, a socket, a database per test."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from app import migrations

PROGRAMS = Path("/usr/lib/postgresql")
BINARIES = sorted((path.parent for path in PROGRAMS.glob("*/bin/initdb")), key=lambda path: int(path.parent.name))
# A test's database need not survive a power cut.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SETTINGS = ("shared_buffers=32MB", "max_connections=150", "max_wal_size=256MB", "jit=off")
# A database that is lent again has nobody connected, the schema it was made with, no row, and counts from one.
EMPTY = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$;
SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""
SCHEMA = """
SELECT (SELECT array_agg(version_num) FROM alembic_version),
  (SELECT array_agg((relname, relkind) ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT array_agg((attrelid::regclass, attnum, attname, atttypid, attnotnull, attisdropped) ORDER BY 1, 2)
    FROM pg_attribute JOIN pg_class ON oid = attrelid WHERE relnamespace = 'public'::regnamespace),
  (SELECT array_agg((conname, convalidated) ORDER BY conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace),
  (SELECT array_agg((tgname, tgenabled) ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal),
  (SELECT array_agg((proname, prosrc) ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
  (SELECT array_agg(setconfig) FROM pg_db_role_setting JOIN pg_database ON oid = setdatabase
    WHERE datname = current_database())
"""
# Many dead rows would make the next test slow.
GROWN = "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 1000000"
Connection = psycopg.Connection[Any]


class Server:
    """PostgreSQL refuses to run as root: then it runs as `postgres`, whom Debian's package makes."""

    def __init__(
        self, folder: Path, *, forgetful: bool = True, address: str = "", port: int = 5432, superuser: str = "teahouse"
    ) -> None:
        own = (f"listen_addresses={address}", f"port={port}")
        self._port, self._superuser = port, superuser
        self._folder, self._settings = folder, (*SETTINGS, *own, *(FORGETFUL if forgetful else ()))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("postgres")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        self._number = 0
        self._schema: list[Any] = []
        self._returned: list[tuple[str, Connection]] = []

    def run(self, program: str, *arguments: str) -> None:
        command = [str(BINARIES[-1] / program), *arguments]
        with (self._folder / "commands.log").open("ab") as log:
            subprocess.run(command, check=True, cwd=self._folder, stdout=log, stderr=log, timeout=60, **self._user)

    def initialise(self) -> None:
        access = ("--auth-local=trust", "--auth-host=scram-sha-256")
        options = (f"--username={self._superuser}", *access, "--encoding=UTF8", "--locale=C", "--no-sync")
        self.run("initdb", f"--pgdata={self._folder}/data", *options)
        with (self._folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")  # where it listens to a network at all

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in (f"unix_socket_directories={self._folder}", *self._settings))
        self.run("pg_ctl", "start", "-w", "-D", f"{self._folder}/data", "-l", f"{self._folder}/log", "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        while self._returned:
            self._returned.pop()[1].close()
        self.run("pg_ctl", "stop", "-w", "-D", f"{self._folder}/data", "-m", mode)

    def url(self, database: str) -> str:
        return f"postgresql://{self._superuser}@/{database}?host={self._folder}&port={self._port}"

    @property
    def socket(self) -> Path:
        return self._folder / f".s.PGSQL.{self._port}"

    def url_at(self, url: str, port: int, host: str = "127.0.0.1") -> str:
        """The same database where a proxy listens for it."""
        return f"postgresql://teahouse@{host}:{port}{urlsplit(url).path}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def make_template(self) -> None:
        self.execute("CREATE DATABASE empty")
        migrations.upgrade(self.url("empty"))
        with psycopg.connect(self.url("empty")) as connection:
            self._schema = connection.execute(SCHEMA).fetchall()

    def new_database(self) -> str:
        """The address of a migrated, empty database. Copying the files is quicker than making them."""
        return self.copy_of(self.url("empty"))

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """The same, and quicker still: one that another test had, if it left it such that it can be emptied."""
        url, cleaner = self._returned.pop() if self._returned else self._new_with_cleaner()
        try:
            yield url
        finally:
            if self._is_emptied(cleaner):
                self._returned.append((url, cleaner))
            else:
                cleaner.close()
                self.drop(url)

    def _new_with_cleaner(self) -> tuple[str, Connection]:
        url = self.new_database()
        return url, psycopg.connect(url, autocommit=True, application_name="cleaner")

    def _is_emptied(self, cleaner: Connection) -> bool:
        """By a connection that has been there all the time: a new one would take longer than all that it does."""
        try:
            if cleaner.execute(SCHEMA).fetchall() != self._schema or cleaner.execute(GROWN).fetchone():
                return False
            cleaner.execute(EMPTY)
        except psycopg.Error:
            return False
        return True

    def copy_of(self, url: str) -> str:
        """Of one that nobody is connected to."""
        self._number += 1
        name = f"test_{self._number}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_name_in(url)} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Each takes 8 MB, and there are hundreds."""
        self.execute(f"DROP DATABASE {_name_in(url)} WITH (FORCE)")


def _name_in(url: str) -> str:
    return urlsplit(url).path[1:]


@contextmanager
def postgres_server(*, forgetful: bool = True, address: str = "") -> Iterator[Server]:
    """On a socket and, if wanted, at an address: port 5432 there."""
    folder = Path(tempfile.mkdtemp(prefix="teahouse-postgres-"))
    server = Server(folder, forgetful=forgetful, address=address)
    try:
        server.initialise()
        server.start()
        try:
            server.make_template()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def shared_server() -> Server:
    """One for all tests of this process; it ends with it."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(postgres_server())
