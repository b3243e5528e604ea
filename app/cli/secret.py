"""Whether this machine has the secret that its database is used with: with another one it would sign everybody out."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson

from app.cli.terminal import Exit, fail
from app.settings import Settings

if TYPE_CHECKING:
    from app.security.keys import Keyring

NAME = "secret"  # among the server's settings
CURE = (
    "Give each machine the same TEAHOUSE_SECRET_KEY, or data/secret.key of the one that works. "
    "If it is lost: `teahouse admin accept-secret`, and everybody signs in again."
)

_KEPT = "SELECT value FROM server_settings WHERE name = :name"
_KEEP_FIRST = "INSERT INTO server_settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
_REPLACE = "UPDATE server_settings SET value = :value WHERE name = :name AND value <> :value"


def check_secret(settings: Settings) -> None:
    """End the command where the secret is another one. The first to serve says which it is; a rotated one is taken."""
    ours = _keyring(settings)
    with closing(_connection(settings)) as connection:
        kept = _kept(connection)
        if kept is None or kept in ours.older_fingerprints:
            _keep(connection, ours, replace=kept is not None)
    if difference := other_secret(settings):
        fail(f"{difference} {CURE}", Exit.bad_settings)


def accept_secret(settings: Settings) -> None:
    """From now on the database is used with this machine's."""
    with closing(_connection(settings)) as connection:
        _keep(connection, _keyring(settings), replace=True)


def other_secret(settings: Settings) -> str | None:
    """What is wrong, if the database is used with another secret than this machine's."""
    with closing(_connection(settings, write=False)) as connection:
        kept = _kept(connection)
    ours = _keyring(settings)
    if kept is None or kept in (ours.fingerprint, *ours.older_fingerprints):
        return None
    return f"The secret here ({ours.fingerprint}) is not the one that {settings.database_name} is used with ({kept})."


def _keyring(settings: Settings) -> "Keyring":
    from app.security.keys import keyring_of

    return keyring_of(settings)


def _connection(settings: Settings, *, write: bool = True) -> Any:
    from app.db.session import plain_connection

    return plain_connection(settings.database, write=write)


def _kept(connection: Any) -> str | None:
    row = connection.execute(_KEPT, {"name": NAME}).fetchone()
    return str(orjson.loads(row[0])) if row else None


def _keep(connection: Any, ours: "Keyring", *, replace: bool) -> None:
    values = {"name": NAME, "value": orjson.dumps(ours.fingerprint).decode()}
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_KEEP_FIRST, values)  # of several that start together
    if replace:
        connection.execute(_REPLACE, values)
    connection.execute("COMMIT")
