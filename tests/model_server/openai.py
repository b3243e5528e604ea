"""OpenAI's routes: models and chat completions; llama.cpp's /props when the flavour is llama.cpp."""

from typing import TYPE_CHECKING

from aiohttp import web

from tests.model_server.faults import error_body, instead_of_answer
from tests.model_server.play import pieces_of, play
from tests.model_server.records import RECORD, Received
from tests.model_server.wire import OpenAIWire

if TYPE_CHECKING:
    from tests.model_server.server import ModelServer

CONTEXT_LENGTH = 8192


def add_routes(app: web.Application, server: "ModelServer") -> None:
    routes = _Routes(server)
    app.router.add_get("/v1/models", routes.models)
    app.router.add_post("/v1/chat/completions", routes.chat)
    app.router.add_get("/props", routes.props)
    app.router.add_get("/health", routes.health)


class _Routes:
    def __init__(self, server: "ModelServer") -> None:
        self._server = server

    @property
    def _is_llama(self) -> bool:
        return self._server.flavour == "llama.cpp"

    def _refusal(self, request: web.Request) -> web.Response | None:
        sent = request.headers.get("Authorization", "")
        if not self._server.api_key or sent == f"Bearer {self._server.api_key}":
            return None
        message = f"Incorrect API key provided: {sent.removeprefix('Bearer ')}"  # as OpenAI does: it quotes the key
        return web.json_response(error_body("openai", message, 401, type="invalid_api_key"), status=401)

    async def models(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        owner = {"llama.cpp": "llamacpp", "ollama": "library"}.get(self._server.flavour, "scripted")
        shared = {"object": "model", "created": 1_764_000_000, "owned_by": owner}
        entries = [{"id": name, **shared} for name in self._server.models]
        if self._is_llama:
            entries = [{**entry, "meta": {"n_ctx_train": CONTEXT_LENGTH, "n_params": 1}} for entry in entries]
        return web.json_response({"object": "list", "data": entries})

    async def health(self, _: web.Request) -> web.Response:
        """llama.cpp answers it at any time."""
        return web.json_response({"status": "ok"}, status=200 if self._is_llama else 404)

    async def props(self, _: web.Request) -> web.Response:
        if not self._is_llama:
            return web.json_response(error_body("openai", "no such path", 404), status=404)
        return web.json_response({"default_generation_settings": {"n_ctx": 4096}, "total_slots": 2, "build_info": "b1"})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        record: Received = request[RECORD]
        model = str(record.json["model"])
        if not self._server.has_model(model):
            body = error_body("openai", f"The model `{model}` does not exist", 404)
            return web.json_response(body, status=404)
        stream_options = record.json.get("stream_options")
        if stream_options is not None and not self._server.knows_usage:
            body = error_body("openai", "Unrecognized request argument supplied: stream_options", 400)
            return web.json_response(body, status=400)
        refused = next((name for name in self._server.refuses if name in record.json), None)
        if refused is not None:
            return web.json_response(error_body("openai", f"Unsupported parameter: '{refused}'", 400), status=400)
        script, fault = self._server.script(record)
        if (response := await instead_of_answer(request, fault, "openai")) is not None:
            return response
        limit = record.json.get("max_tokens")
        include_usage = bool(stream_options and stream_options.get("include_usage"))
        wire = OpenAIWire(model, include_usage=include_usage, reasoning=script.reasoning)
        if record.json.get("stream"):
            return await play(request, record, script, fault, wire, limit, continues=self._is_llama)
        pieces = list(pieces_of(record, script, limit, continues=self._is_llama))
        text = "".join(text for is_thinking, text in pieces if not is_thinking)
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": script.finish}
        usage = {"prompt_tokens": 1, "completion_tokens": len(pieces), "total_tokens": 1 + len(pieces)}
        return web.json_response({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage})
