"""A small application behind the real edge, on a real uvicorn, asked through raw sockets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request
from starlette.responses import Response

from app.api.v1.schemas.base import Schema
from app.cli.protocol import DeadlineProtocol
from app.errors import AppError, ErrorKind
from app.http.edge import install_edge
from app.http.parameters import refuse_unknown_parameters
from app.settings import Settings


class Echo(Schema):
    content: str
    number: int | None = None
    deep: Any = None


def make_app(settings: Settings, **edge: Any) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.seen = []
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(refuse_unknown_parameters)])

    @router.post("/echo")
    async def echo(body: Echo, request: Request) -> dict[str, Any]:
        request.app.state.seen.append(body.content)
        return {"content": body.content, "client": request.client.host if request.client else None}

    @router.get("/things/{thing}")
    async def thing(thing: str, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        return {"thing": thing, "limit": limit}

    @router.post("/auth/login")
    async def login(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, str]:
        return {"username": username}

    @router.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the reason, for the log alone")

    @router.get("/fail/{kind}")
    async def fail(kind: ErrorKind) -> None:
        raise AppError(kind, "some_code", "Some detail.", retry_after=7)

    @app.post("/form")
    async def form(request: Request) -> Response:
        async with request.form() as fields:
            return Response(str(len(fields)))

    @app.post("/upload")
    async def upload(request: Request) -> Response:
        return Response(str(len(await request.body())))

    app.include_router(router)
    install_edge(app, settings, **edge)
    return app


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool = field(default=False)


class Connection:
    """One TCP connection on which bytes are sent exactly as written."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._buffer = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> Answer:
        head = self._until(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = self._exactly(int(headers.get("content-length", 0)))
        return Answer(int(status_line.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Whether the server closes the connection now."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        head, self._buffer = self._buffer.split(end, 1)
        return head

    def _exactly(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _more(self) -> None:
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError("the server closed the connection")
        self._buffer += chunk


class Server:
    def __init__(self, app: FastAPI, port: int) -> None:
        self.app, self.port = app, port

    def connect(self) -> Connection:
        return Connection(self.port)

    def ask(self, data: bytes) -> Answer:
        """Send one request and take one answer, on a connection of its own."""
        with self.connect() as connection:
            connection.send(data)
            answer = connection.answer()
            answer.closed = answer.headers.get("connection") == "close" and connection.is_closed()
            return answer

    def get(self, path: str, *headers: str) -> Answer:
        return self.ask(request("GET", path, *headers))

    def post_json(self, body: bytes, path: str = "/api/v1/echo", *headers: str) -> Answer:
        return self.ask(request("POST", path, "Content-Type: application/json", *headers, body=body))


def request(method: str, path: str, *headers: str, host: str | None = "Host: localhost", body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *([host] if host else []), *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def serve(app: FastAPI) -> Iterator[Server]:
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    config = uvicorn.Config(
        app, http=DeadlineProtocol, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Server(app, port)
    finally:
        server.should_exit = True
        thread.join(10)
