"""`teahouse admin`: make a user and set a password, with the server running or not."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from app.cli.db import migrate
from app.cli.terminal import fail, read_settings, say
from app.errors import AppError

if TYPE_CHECKING:
    from app.accounts.models import User
    from app.db.session import Database

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="Make a user, set a password. The server may be running.")

FROM_STDIN = typer.Option(False, "--password-stdin", help="Read the password from standard input.")


@app.command("create-user")
def create_user(
    name: str = typer.Argument(help="What the user signs in with."),
    email: str = typer.Option(..., "--email", help="Also good to sign in with."),
    admin: bool = typer.Option(False, "--admin", help="Make an administrator."),
    password_stdin: bool = FROM_STDIN,
) -> None:
    """Make a user, whatever TEAHOUSE_SIGNUP says.

    \b
    Examples:
      teahouse admin create-user alice --email alice@example.org --admin
      pwgen 20 1 | teahouse admin create-user bob --email bob@example.org --password-stdin
    """
    password = _password(password_stdin)
    user = _run(lambda database: _create(database, name, email, password, admin=admin))
    say(f"{user.username} can sign in{' and is an administrator' if admin else ''}.")


@app.command("reset-password")
def reset_password(
    name: str = typer.Argument(help="The user's name or e-mail address."),
    password_stdin: bool = FROM_STDIN,
) -> None:
    """Set a user's password. Ends all their sign-ins and API keys.

    \b
    Example:
      teahouse admin reset-password alice
    """
    password = _password(password_stdin)
    user = _run(lambda database: _reset(database, name, password))
    say(f"{user.username} has a new password. All their sign-ins and API keys have ended.")


@app.command("accept-secret")
def accept_secret() -> None:
    """Use the database with this machine's secret from now on. Everybody signs in again.

    \b
    Only where the secret that it was used with is lost; else copy data/secret.key to this machine:
      teahouse admin accept-secret
    """
    from app.cli.secret import accept_secret

    settings = read_settings()
    migrate(settings)
    accept_secret(settings)
    say("The database goes with this machine's secret. Restart the servers; everybody signs in again.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _run(work: "Callable[[Database], Awaitable[Result]]") -> Result:
    """Do `work` with the database open; a refusal is one line."""
    settings = read_settings()
    migrate(settings)

    async def within() -> Result:
        from app.db.session import Database

        database = Database(settings.database, sync=settings.sqlite_sync)
        try:
            return await work(database)
        finally:
            await database.dispose()

    try:
        return asyncio.run(within())
    except AppError as error:
        fail(error.detail)


async def _create(database: "Database", name: str, email: str, password: str, *, admin: bool) -> "User":
    from app.accounts.administration import create_account

    return await create_account(database, name, email, password, "admin" if admin else "member")


async def _reset(database: "Database", name: str, password: str) -> "User":
    from app.accounts.administration import reset_password

    user = await _find(database, name)
    await reset_password(database, user.id, password)
    return user


async def _find(database: "Database", name: str) -> "User":
    from sqlalchemy import or_, select

    from app.accounts.models import User
    from app.accounts.service import fold

    folded = fold(name.strip())
    async with database.read() as session:
        user = await session.scalar(
            select(User).where(or_(User.username_folded == folded, User.email_folded == folded))
        )
    if user is None:
        fail(f"There is no user {name}.")
    return user
