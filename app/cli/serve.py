"""`teahouse serve`: migrate, then serve."""

import asyncio
import errno
import io
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app import __version__
from app.cli.db import migrate
from app.cli.secret import check_secret
from app.cli.terminal import Exit, fail, read_settings, say
from app.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.providers.catalog import Providers

MODELS_SHOWN = 5
ROOT = Path(__file__).parents[2]


def serve(
    host: str | None = typer.Option(None, help="Address to listen on, instead of TEAHOUSE_HOST."),
    port: int | None = typer.Option(None, min=1, max=65535, help="Port to listen on, instead of TEAHOUSE_PORT."),
    workers: int | None = typer.Option(
        None, min=1, max=64, help="Processes; more than one run under Gunicorn. Default: TEAHOUSE_WORKERS, else one."
    ),
    reload: bool = typer.Option(False, "--reload", help="Start anew when a source file changes."),
) -> None:
    """Bring the database up to date and serve.

    \b
    Examples:
      teahouse serve
      teahouse serve --port 9000
      TEAHOUSE_OLLAMA_URL=http://10.0.0.5:11434 teahouse serve --workers 4
    """
    settings = read_settings(host=host, port=port, workers=workers)
    from app.cli import serving

    serving.end_on_signals()
    listener = _listen(settings)
    try:
        migrate(settings)
        check_secret(settings)
        _make_logs(settings)
    except typer.Exit:
        listener.close()
        raise
    if reload:
        listener.close()
        os.environ.update(TEAHOUSE_HOST=settings.host, TEAHOUSE_PORT=str(settings.port))
        say(f"Teahouse {__version__} at {address_of(settings)}, watching {ROOT} for changes")
        serving.serve_reloading(settings.host, settings.port, ROOT)
        return
    from app.main import create_app

    try:
        if settings.workers <= 1:
            serving.serve_alone(create_app(settings), listener, _announce)
        else:
            serving.serve_with_workers(lambda: create_app(settings), listener, settings, _announce)
    except SystemExit as ended:
        if ended.code:
            fail(f"The server could not start. {settings.logs.absolute() / 'error.log'} says why.")
        raise


def _listen(settings: Settings) -> socket.socket:
    """The socket, before anything else is done: a second server must not get as far as the database."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            fail(f"Port {settings.port} is taken by another program. Choose one with --port or TEAHOUSE_PORT.")
        fail(f"TEAHOUSE_HOST: {settings.host}, port {settings.port}: {error.strerror}", Exit.bad_settings)
    listener.set_inheritable(True)
    return listener


def _make_logs(settings: Settings) -> None:
    try:
        settings.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(f"TEAHOUSE_LOG_DIR: {settings.logs.absolute()}: {error.strerror}", Exit.bad_settings)


def address_of(settings: Settings) -> str:
    """An address to click on."""
    if settings.public_url:
        return settings.public_url
    if settings.listens_everywhere:
        return f"http://localhost:{settings.port}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def told_to_phones(settings: Settings) -> list[str]:
    """Where a phone on the same network opens it, and a code for its camera where somebody looks on."""
    address = None if settings.public_url else _network_address(settings)
    if address is None:
        return []
    url = f"http://{address}:{settings.port}"
    lines = [f"  network {url}"]
    if sys.stdout.isatty():
        import segno

        code = io.StringIO()
        segno.make(url, micro=False).terminal(code, compact=True, border=2)
        lines += code.getvalue().splitlines()
    return lines


def _network_address(settings: Settings) -> str | None:
    """By which others reach this machine, if it listens for them."""
    if not settings.listens_everywhere:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        try:
            way_out.connect(("192.0.2.1", 9))  # nothing is sent: only the way there is looked up
        except OSError:
            return None
        address: str = way_out.getsockname()[0]
    return address


async def _announce(app: "FastAPI") -> None:
    """Where it is at once; the models when they are known, which may take a moment."""
    settings: Settings = app.state.settings
    say(f"Teahouse {__version__} is open at {address_of(settings)}")
    for line in told_to_phones(settings):
        say(line)
    say(f"  data    {settings.data_dir.absolute()} (logs: {settings.logs.absolute()})")
    try:
        providers = app.state.services.providers
        await _await_verdict(providers)
        listed = await providers.models()
        if not listed.items:  # one that is slow may have answered by now
            listed = await providers.models()
    except asyncio.CancelledError:
        raise
    except Exception as error:
        say(f"  models  unknown: {error}")
        return
    for line in models_told([model.id for model in listed.items]):
        say(line)
    for problem in listed.problems:
        say(f"  problem {problem.provider}: {problem.message}")
    if await _is_empty(app):
        say("  users   none yet: the first to register becomes the administrator")
    say("Ctrl-C stops it; no answer is lost.")


async def _await_verdict(providers: "Providers") -> None:
    """Whether the built-in model can run: no page waits until that is known, the terminal does."""
    if "embedded" in providers.names():
        from app.providers.embedded.provider import VERDICT_SECONDS, EmbeddedProvider
        from app.providers.errors import ProviderUnusable

        provider = providers.get("embedded")
        assert isinstance(provider, EmbeddedProvider)
        with suppress(ProviderUnusable):
            await provider.ensure_usable(VERDICT_SECONDS)


def models_told(models: list[str]) -> list[str]:
    if not models:
        return [
            "  models  none yet. Start Ollama on this machine, or name a model server in the environment or .env:",
            "            TEAHOUSE_OLLAMA_URL=http://192.168.1.5:11434",
            "            TEAHOUSE_OPENAI_BASE_URL=http://192.168.1.5:8080/v1",
        ]
    rest = len(models) - MODELS_SHOWN
    return ["  models  " + ", ".join(models[:MODELS_SHOWN]) + (f" and {rest} more" if rest > 0 else "")]


async def _is_empty(app: "FastAPI") -> bool:
    from app.accounts.service import list_users

    async with app.state.services.database.read() as session:
        return not await list_users(session, limit=1)
