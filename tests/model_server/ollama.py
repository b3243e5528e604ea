"""Ollama's routes: chat, tags, show, ps, version, pull, delete, generate (load and unload)."""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.model_server.faults import Fault, instead_of_answer
from tests.model_server.play import pieces_of, play
from tests.model_server.records import RECORD, Received
from tests.model_server.script import Script
from tests.model_server.wire import OllamaWire

if TYPE_CHECKING:
    from tests.model_server.server import ModelServer

CONTEXT_LENGTH = 8192
TOO_LONG = "the prompt is longer than the context length currently available to the model; shorten it"
_STARTED = "2026-11-24T08:00:00.000000Z"


def digest_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def add_routes(app: web.Application, server: "ModelServer") -> None:
    routes = _Routes(server)
    app.router.add_post("/api/chat", routes.chat)
    app.router.add_post("/api/generate", routes.generate)
    app.router.add_get("/api/tags", routes.tags)
    app.router.add_post("/api/show", routes.show)
    app.router.add_get("/api/ps", routes.ps)
    app.router.add_get("/api/version", routes.version)
    app.router.add_post("/api/pull", routes.pull)
    app.router.add_delete("/api/delete", routes.delete)


class _Routes:
    def __init__(self, server: "ModelServer") -> None:
        self._server = server

    async def chat(self, request: web.Request) -> web.StreamResponse:
        record: Received = request[RECORD]
        model = str(record.json["model"])
        if not self._server.has_model(model):
            return _error(404, f"model '{model}' not found")
        if record.json.get("_debug_render_only") and self._server.renders_only:
            return web.json_response({"model": model, "debug_info": {"rendered_template": self._rendered(record)}})
        script, fault = self._server.script(record)
        if (response := await instead_of_answer(request, fault, "ollama")) is not None:
            return response
        options = record.json.get("options") or {}
        if record.json.get("think") and not model.startswith("thinker") and not script.think:
            return _error(400, f'"{model}" does not support thinking')
        window = int(options.get("num_ctx") or CONTEXT_LENGTH)
        words = sum(len(str(m.get("content", "")).split()) for m in record.json["messages"])
        if words > window and record.json.get("truncate") is False and not record.cuts_to:
            return _error(400, TOO_LONG)
        limit = options.get("num_predict")
        limit = None if limit is None or limit < 0 else int(limit)
        wire = OllamaWire(model)
        async with self._server.scheduler.slot(model, record.prompt, options.get("num_ctx")):
            return await self._answered(request, record, script, fault, wire, limit)

    async def _answered(
        self, request: web.Request, record: Received, script: Script, fault: Fault, wire: OllamaWire, limit: int | None
    ) -> web.StreamResponse:
        words = sum(len(str(m.get("content", "")).split()) for m in record.json["messages"])
        continues = not self._server.closes
        if record.json.get("stream", True):
            return await play(request, record, script, fault, wire, limit, continues=continues)
        pieces = list(pieces_of(record, script, limit, continues=continues))
        whole = orjson.loads(wire.end(script.finish, words, len(pieces)))
        whole["message"]["content"] = "".join(text for is_thinking, text in pieces if not is_thinking)
        return web.json_response(whole)

    def _rendered(self, record: Received) -> str:
        end = "<|end|><|assistant|>" if self._server.closes else ""
        return "".join(f"<|{m['role']}|>{m['content']}" for m in record.json["messages"]) + end

    async def generate(self, request: web.Request) -> web.Response:
        body = request[RECORD].json
        if not self._server.has_model(body["model"]):
            return _error(404, f"model '{body['model']}' not found")
        unloads = body.get("keep_alive") == 0
        if unloads:
            self._server.loaded.discard(body["model"])
        else:
            await self._server.scheduler.load(body["model"], (body.get("options") or {}).get("num_ctx"))
        reason = "unload" if unloads else "load"
        return web.json_response({"model": body["model"], "response": "", "done": True, "done_reason": reason})

    async def tags(self, _: web.Request) -> web.Response:
        return web.json_response({"models": [_entry(name) for name in self._server.models]})

    async def ps(self, _: web.Request) -> web.Response:
        windows = self._server.scheduler.windows
        entries = [
            _entry(name) | {"size_vram": 0, "context_length": windows.get(name, 4096)}
            for name in sorted(self._server.loaded)
        ]
        return web.json_response({"models": entries})

    async def show(self, request: web.Request) -> web.Response:
        name = str(request[RECORD].json.get("model") or request[RECORD].json.get("name"))
        if not self._server.has_model(name):
            return _error(404, f"model '{name}' not found")
        capabilities = ["completion", *(["thinking"] if name.startswith("thinker") else [])]
        info = {"general.architecture": "scripted", "scripted.context_length": CONTEXT_LENGTH}
        told = {
            "license": "You may do <anything> with it.",
            "template": self._server.template,
            "parameters": self._server.parameters,
        }
        facts = {"details": _entry(name)["details"], "model_info": info, "capabilities": capabilities}
        return web.json_response({**facts, **told})

    async def version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self._server.version})

    async def pull(self, request: web.Request) -> web.StreamResponse:
        body = request[RECORD].json
        name = str(body.get("model") or body.get("name"))
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for line in _pull_lines(name):
            # Whoever reads this line may ask for the list, and hang up, at once.
            if line.get("status") == "success" and name not in self._server.models:
                self._server.models.append(name)
            await response.write(orjson.dumps(line) + b"\n")
            await asyncio.sleep(self._server.pull_delay)
        request[RECORD].finished = True
        return response

    async def delete(self, request: web.Request) -> web.Response:
        name = str(request[RECORD].json.get("model") or request[RECORD].json.get("name"))
        if name not in self._server.models:
            return _error(404, f"model '{name}' not found")
        self._server.models.remove(name)
        return web.Response()


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _entry(name: str) -> dict[str, Any]:
    details = {"parent_model": "", "format": "gguf", "family": "scripted", "families": ["scripted"]}
    details |= {"parameter_size": "0B", "quantization_level": "Q4_1"}
    size = {"size": 100_000_000, "digest": digest_of(name), "modified_at": _STARTED}
    return {"name": name, "model": name, "details": details, **size}


def _pull_lines(name: str) -> list[dict[str, Any]]:
    if "missing" in name:
        return [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
    digest = f"sha256:{digest_of(name)}"
    layer = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": 100_000_000}
    progress = [layer | {"completed": step * 10_000_000} for step in range(11)]
    tail = ["verifying sha256 digest", "writing manifest", "success"]
    return [{"status": "pulling manifest"}, layer, *progress, *({"status": status} for status in tail)]
