"""`teahouse ask` where nobody answers, or somebody else: said in one line, before ten seconds are over."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from typer.testing import CliRunner, Result

from app.cli import api_client
from app.cli.main import app
from tests.ports import free_port

HTML = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<h1>\n"
CATCH_ALL = HTML.replace(b"404 Not Found", b"200 OK")
JSON = HTML.replace(b"text/html", b"application/json").replace(b"<h1>\n", b"[404]")
QUICK = 4.5  # seconds, on a busy machine
AWAY = HTML.replace(b"404 Not Found", b"502 Bad Gateway")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(api_client, "CONTACT", 0.5)
    monkeypatch.chdir(tmp_path)


def ask(url: str, *more: str) -> tuple[Result, float]:
    began = time.monotonic()
    result = CliRunner().invoke(app, ["ask", "Hello", "--url", url, "--api-key", "th_key", *more])
    return result, time.monotonic() - began


@contextmanager
def answering(serve: Callable[[socket.socket], Any]) -> Iterator[str]:
    """Every connection to it is served so, and closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def sending(words: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):  # a close with something unread would cut off what was said
            pass

    return serve


@contextmanager
def full() -> Iterator[str]:
    """A listener whose queue is full: the kernel drops who knocks next, as a firewall does."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        with socket.socket() as knocking:
            knocking.settimeout(0.2)
            with pytest.raises(TimeoutError):
                knocking.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """Connections are made, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def closed() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


def closing() -> Any:
    return answering(lambda connection: connection.recv(65_536))


def hanging_in_mid_answer() -> Any:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 201 Created\r\nX-Request-ID: 1\r\nContent-Length: 99\r\n\r\n{")
        while connection.recv(65_536):
            pass

    return answering(serve)


@pytest.mark.parametrize("nobody", [closed, full, silent, closing, hanging_in_mid_answer])
def test_nobody_is_said_to_answer_in_time(nobody: Any) -> None:
    with nobody() as url:
        result, seconds = ask(url)
    assert result.exit_code == 69
    assert result.stderr == (
        f"Nobody answers at {url}. Start the server with `teahouse serve`, or name it with --url.\n"
    )
    assert seconds < QUICK


def test_signing_in_is_a_first_contact_too() -> None:
    with silent() as url:
        result, seconds = ask(url, "--api-key", "", "--username", "alice", "--password", "correct horse")
    assert (result.exit_code, result.stderr.count("\n")) == (69, 1)
    assert seconds < QUICK


@pytest.mark.parametrize("says", [HTML, CATCH_ALL, JSON, b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_somebody_else_is_told_from_nobody(says: bytes) -> None:
    with answering(sending(says)) as url:
        result, seconds = ask(url)
    assert result.exit_code == 69
    assert result.stderr == f"What answers at {url} is not Teahouse. Name the server with --url.\n"
    assert seconds < QUICK


def test_a_proxy_whose_server_is_away_is_no_stranger() -> None:
    with answering(sending(AWAY)) as url:
        result, _ = ask(url)
    assert (result.exit_code, result.stderr) == (1, "The server answered 502 Bad Gateway.\n")


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "CONTACT", 5.0)  # this machine's own name server is asked
    result, seconds = ask("http://nobody.invalid:8000")
    assert result.exit_code == 69
    assert result.stderr.startswith("Nobody answers at http://nobody.invalid:8000.")
    assert seconds < 9


def test_a_name_server_that_is_silent_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    try:
        result, seconds = ask("http://tea.example.org")
    finally:
        answered.set()
    assert result.exit_code == 69
    assert result.stderr.startswith("Nobody answers at http://tea.example.org.")
    assert seconds < QUICK


async def test_a_proxy_whose_server_is_restarted_only_delays_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "LOST_AFTER", 0.01)
    told: list[int] = []
    tries: list[int] = []

    async def events(_: web.Request) -> web.Response:
        tries.append(1)
        if len(tries) < 3:
            return web.Response(status=502)
        return web.Response(text="id: 7\nevent: done\ndata: {}\n\n")

    served = web.Application()
    served.router.add_get("/api/v1/jobs/j/events", events)
    runner = web.AppRunner(served)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with ClientSession() as session:
            client = api_client.Client(
                session, f"http://127.0.0.1:{runner.addresses[0][1]}", api_client.SignIn("th_key")
            )
            seen = [event.name async for event in client.follow("j", lambda: told.append(len(tries)))]
    finally:
        await runner.cleanup()
    assert (seen, told) == (["done"], [1])
