"""`teahouse backup-key`, and which key a backup is encrypted with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.cli.terminal import Exit, fail, say

if TYPE_CHECKING:
    from app.security.age import Identity, Passphrase, Recipient

RECIPIENT, IDENTITY = "age1", "AGE-SECRET-KEY-1"
LEAST = 16  # letters of a passphrase: whoever has the file may try for as long as they like


def backup_key(
    path: Path = typer.Argument(..., help="A new file for the key that opens backups."),
) -> None:
    """Make a key for encrypted backups. The server needs its public half only.

    \b
    Keep the file anywhere but on the server, twice; without it no such backup can be opened:
      teahouse backup-key /media/stick/teahouse.key
      echo TEAHOUSE_BACKUP_KEY=age1… >> .env
    """
    from app.security.age import Identity

    identity = Identity.generate()
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"# public key: {identity.recipient}\n{identity}\n")
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    say(f"The key is in {path}: take it away from here, and keep it twice.")
    say(f"TEAHOUSE_BACKUP_KEY={identity.recipient}")


def key_to_write(value: str) -> "Recipient | Passphrase | None":
    """`value` is a public key, or a file with a key or a passphrase; empty: nothing is encrypted."""
    from app.security.age import Identity, Passphrase, Recipient

    if not value:
        return None
    text = value if value.startswith(RECIPIENT) else _read(value)
    try:
        if text.startswith(RECIPIENT):
            return Recipient.parse(text)
        if text.startswith(IDENTITY):
            return Identity.parse(text).recipient
    except ValueError as error:
        fail(f"The key for backups is none: {error}", Exit.bad_settings)
    if len(text) < LEAST:
        fail(f"The passphrase for backups must have at least {LEAST} letters.", Exit.bad_settings)
    return Passphrase(text.encode())


def key_to_read(value: str) -> "Identity | Passphrase":
    from app.security.age import Identity, Passphrase

    if not value or value.startswith(RECIPIENT):
        fail("The backup is encrypted: --key FILE, with the key that `teahouse backup-key` made or the passphrase.")
    text = _read(value)
    try:
        return Identity.parse(text) if text.startswith(IDENTITY) else Passphrase(text.encode())
    except ValueError as error:
        fail(f"{value} holds no key: {error}")


def _read(path: str) -> str:
    """The first line that is no comment."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"The key for backups, {path}, cannot be read: {error}", Exit.bad_settings)
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
