"""`teahouse admin`: a user made there can sign in; a password set there ends what the old one opened."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app.accounts.models import Session, User
from app.accounts.passwords import check_login
from app.cli.main import app
from app.clock import utcnow
from app.db.session import Database
from app.errors import AppError
from app.settings import Settings

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def admin(settings: Settings, *arguments: str, password: str = "correct horse") -> Result:
    env = {"TEAHOUSE_DATA_DIR": str(settings.data_dir), "TEAHOUSE_DATABASE_URL": settings.database_url}
    return CliRunner().invoke(app, ["admin", *arguments, "--password-stdin"], env=env, input=f"{password}\n")


def within(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(settings.database)
        try:
            return await work(database)
        finally:
            await database.dispose()

    return asyncio.run(run())


def test_a_user_made_there_can_sign_in(settings: Settings, tmp_path: Path) -> None:
    new = Settings(data_dir=tmp_path / "new", database_url=settings.database_url)  # SQLite is not even there
    result = admin(new, "create-user", "Alice", "--email", "alice@example.org", "--admin")
    assert (result.exit_code, result.stdout) == (0, "Alice can sign in and is an administrator.\n")
    user = within(new, lambda database: check_login(database, "alice", "correct horse"))
    assert (user.username, user.role) == ("Alice", "admin")


def test_without_admin_it_is_a_member(settings: Settings) -> None:
    admin(settings, "create-user", "bob", "--email", "bob@example.org")
    user = within(settings, lambda database: check_login(database, "bob@example.org", "correct horse"))
    assert user.role == "member"


def test_a_password_set_there_ends_every_sign_in(settings: Settings) -> None:
    admin(settings, "create-user", "bob", "--email", "bob@example.org")

    async def open_session(database: Database) -> str:
        async with database.transaction() as session:
            user_id = (await session.scalars(select(User.id))).one()
            row = Session(user_id=user_id, kind="page", expires_at=utcnow())
            session.add(row)
            await session.flush()
            return row.id

    async def revoked_at(database: Database) -> object:
        async with database.read() as session:
            return await session.scalar(select(Session.revoked_at).where(Session.id == opened))

    opened = within(settings, open_session)
    result = admin(settings, "reset-password", "BOB", password="battery staple")
    assert result.exit_code == 0, result.output
    assert within(settings, revoked_at) is not None
    within(settings, lambda database: check_login(database, "bob", "battery staple"))
    with pytest.raises(AppError):
        within(settings, lambda database: check_login(database, "bob", "correct horse"))


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (["create-user", "BOB", "--email", "other@example.org"], "correct horse", "taken"),
        (["create-user", "a b", "--email", "other@example.org"], "correct horse", "A name has"),
        (["create-user", "carol", "--email", "carol"], "correct horse", "one @"),
        (["create-user", "carol", "--email", "carol@example.org"], "short", "8 to 256"),
        (["reset-password", "nobody"], "correct horse", "no user nobody"),
        (["reset-password", "bob"], "short", "8 to 256"),
    ],
)
def test_a_refusal_is_one_line(settings: Settings, arguments: list[str], password: str, words: str) -> None:
    admin(settings, "create-user", "bob", "--email", "bob@example.org")
    result = admin(settings, *arguments, password=password)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
