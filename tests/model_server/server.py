"""The server itself: one port, both families, everything recorded."""

import asyncio
import socket
from collections import Counter
from typing import Any, Self

import orjson
from aiohttp import web

from tests.model_server import ollama, openai
from tests.model_server.faults import Fault, instead_of_answer
from tests.model_server.records import RECORD, Received
from tests.model_server.scheduler import Scheduler
from tests.model_server.script import Script, script_for


class ModelServer:
    """`async with ModelServer() as server:` answers at `server.url` (Ollama) and `server.openai_url` until its end.

    `flavour="llama.cpp"` is recognisable as llama.cpp and goes on from a trailing assistant message, as Ollama
    does; "openai" does not. `path_faults` hits whole paths: `{"/api/tags": "hang"}`. With `closes_reused` a second
    request on a connection kills it unanswered, as when keep-alive runs out at the moment of use.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        default: Script | None = None,
        flavour: str = "openai",
        api_key: str = "",
        models: tuple[str, ...] = ("scripted:latest", "thinker:latest"),
        knows_usage: bool = True,
        refuses: tuple[str, ...] = (),
        pull_delay: float = 0.02,
        closes_reused: bool = False,
        scheduler: Scheduler | None = None,
        template: str = "{{ .Prompt }}",
        closes: bool = False,
        cuts_to: int = 0,
        parameters: str = 'stop "x"',
        renders_only: bool = True,
        version: str = "0.99.0-scripted",
    ) -> None:
        self.port = port
        self.default = default or Script()
        self.flavour = flavour
        self.api_key = api_key
        self.models = list(models)
        self.template = template  # as Ollama shows it
        self.parameters = parameters
        self.cuts_to = cuts_to
        self.closes = closes  # what it writes behind an answer's beginning is a second answer
        self.renders_only = renders_only
        self.version = version
        self.scheduler = scheduler or Scheduler()
        self.knows_usage = knows_usage
        self.refuses = refuses  # parameters of a chat completion
        self.pull_delay = pull_delay
        self.closes_reused = closes_reused
        self.path_faults: dict[str, str] = {}
        self.requests: list[Received] = []
        self._asked: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def loaded(self) -> set[str]:
        """Models in memory."""
        return self.scheduler.loaded

    @property
    def chats(self) -> list[Received]:
        return [r for r in self.requests if r.path in ("/api/chat", "/v1/chat/completions")]

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._record])
        ollama.add_routes(app, self)
        openai.add_routes(app, self)
        app.router.add_get("/_requests", self._list_requests)
        app.router.add_post("/_script", self._change_script)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        await web.SockSite(self._runner, sock, backlog=1024).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def script(self, record: Received) -> tuple[Script, Fault]:
        """What the prompt asks for, and the fault if its turn has come."""
        script = script_for(record.prompt, self.default)
        self._asked[record.prompt] += 1
        is_due = not script.times or self._asked[record.prompt] <= script.times
        return script, Fault(script.fault if is_due else "")

    def has_model(self, name: str) -> bool:
        return name in self.models or f"{name}:latest" in self.models

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/_"):
            return await handler(request)  # type: ignore[no-any-return]
        body = await request.read()
        record = Received(
            request.method,
            request.path,
            {str(k): v for k, v in request.headers.items()},
            query=request.query_string,
            connection=_connection(request),
            cuts_to=self.cuts_to,
        )
        try:
            record.json = orjson.loads(body) if body else None
        except orjson.JSONDecodeError:
            record.json = body.decode(errors="replace")
        request[RECORD] = record
        is_doomed = self.closes_reused and any(earlier.connection == record.connection for earlier in self.requests)
        self.requests.append(record)
        if is_doomed and request.transport is not None:
            request.transport.close()
            return web.Response()
        try:
            fault = Fault(self.path_faults.get(request.path, ""))
            wire = "ollama" if request.path.startswith("/api") else "openai"
            return await instead_of_answer(request, fault, wire) or await handler(request)
        except (asyncio.CancelledError, ConnectionResetError):
            record.hang_up()
            raise

    async def _list_requests(self, _: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps([r.as_json() for r in self.requests]), content_type="application/json")

    async def _change_script(self, request: web.Request) -> web.Response:
        """Body `{"script": "tokens=5 rate=20", "path_faults": {...}, "models": [...]}`; all optional."""
        body = orjson.loads(await request.read())
        self.default = script_for(f"[[{body['script']}]]") if "script" in body else self.default
        self.path_faults = body.get("path_faults", self.path_faults)
        self.models = body.get("models", self.models)
        return web.json_response({})


def _connection(request: web.Request) -> int:
    """The client's port stands for its connection."""
    transport = request.transport
    return int(transport.get_extra_info("peername")[1]) if transport is not None else 0
