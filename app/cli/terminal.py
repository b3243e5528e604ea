"""What commands say and how they end; nothing else of the program writes to the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from app.settings import Settings


class Exit(IntEnum):
    """How a command ended, for scripts. From 64 on these are the numbers of sysexits.h."""

    failed = 1
    unreachable = 69
    not_allowed = 77
    bad_settings = 78
    interrupted = 130


def say(text: str = "", *, error: bool = False) -> None:
    typer.echo(text, err=error)


def fail(text: str, code: Exit = Exit.failed) -> NoReturn:
    """One line that says why, and the end."""
    typer.secho(text, err=True, fg="red")
    raise typer.Exit(code)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Around what may take long: a spinner where somebody looks, else a line."""
    if not sys.stderr.isatty():
        say(f"{text} …", error=True)
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{text} …"):
        yield


def read_settings(**given: Any) -> Settings:
    """The settings, changed by the options that were given; ends the command if any is wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # Never the value itself: it may be a key.
        fail(told_of(error), Exit.bad_settings)
    except (OSError, UnicodeDecodeError) as error:
        fail(f".env cannot be read: {error}", Exit.bad_settings)


def told_of(error: ValidationError) -> str:
    """A line for each setting that cannot be used."""
    return "\n".join(_told(each["loc"], each["msg"]) for each in error.errors(include_input=False))


def _told(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return f"TEAHOUSE_{message}"  # a rule about several: it names one of them itself
    return f"TEAHOUSE_{str(location[0]).upper()}: {message}"
