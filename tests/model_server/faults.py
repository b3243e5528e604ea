"""Every way a model server misbehaves, by name: `fault=name[:number]`.

Instead of an answer: refuse, hang, status:CODE[:RETRY_AFTER], html, error200, redirect:HOST:PORT, gzip,
headers:N, overflow, not_found; names:N and packed_names:N (a list of N models), one_item:BYTES (a list of one),
json:BYTES (small objects), deep:N (nested so deep), pulls:N (a download's layers, each of them a new one).
During it, after N tokens: cut_after (FIN), rst_after, eof_after (a clean end without end marker), cut_line
(half a line), hang_after, error_after, malformed_after, bad_utf8_after, types_after:N:KIND, empty_after:N:COUNT,
long_line_after:N:BYTES, newlines_after:N:COUNT, endless_after:N, thinks_after:N (both without an end), cut_bytes:N and
eof_bytes:N (after N bytes of the body), close_bytes:N (the same without chunked encoding, where a cut looks like an
end). At its end: error_last, dup_done, after_done, no_done, only_done, keepalive_lie, counts:PROMPT:TOKENS (as they are
spelled), long_reason:N.
All along: dribble (one byte a chunk), noise (comments, blank lines, unknown fields), crlf, bom.
"""

import asyncio
import gzip
import time
from email.utils import formatdate
from typing import Any

from aiohttp import web

from tests.model_server.outlet import Cut, Outlet
from tests.model_server.wire import OllamaWire, OpenAIWire, Wire

ODD_VALUES: dict[str, Any] = {
    "number": 5,
    "null": None,
    "list": [{"type": "text", "text": "x"}],
    "object": {},
    "true": True,
}
_FOREVER = 3600.0


class Fault:
    """One fault with its arguments; no name = a healthy answer."""

    def __init__(self, spelled: str) -> None:
        self.name, *self.arguments = spelled.split(":")

    def number(self, index: int = 0, default: int = 0) -> int:
        return int(self.arguments[index]) if len(self.arguments) > index else default


def error_body(wire: str, message: str, status: int, **more: Any) -> dict[str, Any]:
    if wire == "ollama":
        return {"error": message}
    return {"error": {"message": message, "type": more.pop("type", "invalid_request_error"), "code": status, **more}}


async def instead_of_answer(request: web.Request, fault: Fault, wire: str) -> web.StreamResponse | None:
    """The response that a fault puts in the answer's place, if it does."""
    match fault.name:
        case "refuse":
            if request.transport is not None:
                request.transport.abort()
            await asyncio.sleep(_FOREVER)
        case "hang":
            await asyncio.sleep(_FOREVER)
        case "status":
            return _status(fault, wire)
        case "html":
            return web.Response(text="<html><body><h1>Log in to the proxy</h1></body></html>", content_type="text/html")
        case "error200":
            return web.json_response(error_body(wire, "model runner has unexpectedly stopped", 500))
        case "redirect":
            target = f"http://{fault.arguments[0]}:{fault.arguments[1]}{request.path}"
            return web.Response(status=307, headers={"Location": target})
        case "gzip":
            return await _gzip(request)
        case "names" | "packed_names":
            return _names(fault, wire)
        case "one_item":
            return _json(b'{"models":[{"name":"%b"}]}' % (b"x" * fault.number()))
        case "json":
            return _json(b'{"models":[%b{}]}' % (b'{"":0},' * (fault.number() // 7)))
        case "deep":
            return _json(b'{"models":%b%b}' % (b"[" * fault.number(), b"]" * fault.number()))
        case "pulls":
            return await _pulls(request, fault)
        case "headers":
            headers = {f"X-Filler-{index}": "x" * 50 for index in range(fault.number(default=1000))}
            return web.Response(text="{}", headers=headers)
        case "overflow":
            return _overflow(wire, fault.arguments[0] if fault.arguments else "")
        case "not_found":
            return web.json_response(error_body(wire, "model 'x' not found", 404), status=404)
    return None


def _status(fault: Fault, wire: str) -> web.Response:
    status = fault.number()
    headers = {}
    if len(fault.arguments) > 1:
        spelled = ":".join(fault.arguments[1:])
        dates = {"date": formatdate(time.time() + 5, usegmt=True), "past": formatdate(time.time() - 60, usegmt=True)}
        headers["Retry-After"] = dates.get(spelled, spelled)
    return web.json_response(error_body(wire, f"scripted {status}", status), status=status, headers=headers)


def _overflow(wire: str, flavour: str) -> web.Response:
    if wire == "ollama":
        text = "the prompt is longer than the context length currently available to the model; shorten it"
        return web.json_response({"error": text}, status=400)
    if flavour == "llama":
        error = {"code": 400, "message": "the request exceeds the available context size, try increasing it"}
        error |= {"type": "exceed_context_size_error", "n_prompt_tokens": "9000", "n_ctx": "4096"}
        return web.json_response({"error": error}, status=400)
    text = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    more = {"message": text, "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    return web.json_response({"error": more}, status=400)


def _json(body: bytes, **headers: str) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers=headers)


def _names(fault: Fault, wire: str) -> web.Response:
    spelled = b'{"name":"m%06d:latest","size":1}' if wire == "ollama" else b'{"id":"m%06d:latest","object":"model"}'
    entries = b",".join(spelled % number for number in range(fault.number()))
    body = b'{"%b":[%b]}' % (b"models" if wire == "ollama" else b"data", entries)
    return _json(gzip.compress(body), **{"Content-Encoding": "gzip"}) if fault.name == "packed_names" else _json(body)


async def _pulls(request: web.Request, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for number in range(fault.number()):
        await response.write(
            b'{"status":"pulling %d%b","completed":%d,"total":%d}\n' % (number, b"x" * 300, number, 2**70)
        )
    await response.write(b'{"status":"success"}\n')
    return response


async def _gzip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    response.enable_compression(web.ContentCoding.gzip)
    await response.prepare(request)
    for _ in range(64):
        await response.write(b"\n" * 1024 * 1024)
    return response


async def at_token(fault: Fault, index: int, outlet: Outlet, wire: Wire) -> None:
    """What happens before token `index` goes out."""
    if not fault.name.endswith(("_after", "cut_line")) or fault.number(default=-1) != index:
        return
    match fault.name:
        case "cut_after":
            outlet.close()
            raise Cut
        case "rst_after":
            outlet.reset()
            raise Cut
        case "eof_after":
            raise Cut
        case "cut_line":
            await outlet.send(wire.text(" half a line")[:-25])
            outlet.close()
            raise Cut
        case "hang_after":
            await asyncio.sleep(_FOREVER)
        case "error_after":
            await outlet.send(wire.error("CUDA error: out of memory"))
            raise Cut
        case "malformed_after":
            await outlet.send(wire.line(b'{"message": {"content": '))
        case "bad_utf8_after":
            await outlet.send(wire.text(" caf#").replace(b"#", b"\xe9"))
        case "types_after":
            await outlet.send(wire.odd(ODD_VALUES[fault.arguments[1]]))
        case "empty_after":
            for _ in range(fault.number(1, 10_000)):
                await outlet.send(wire.text(""))
        case "newlines_after":
            for _ in range(fault.number(1) // 65536):
                await outlet.send(b"\n" * 65536)
        case "endless_after":
            while True:
                await outlet.send(wire.text(" and so on"))
        case "thinks_after":
            while True:
                await outlet.send(wire.thinking(" and so on"))
        case "long_line_after":
            await outlet.send(wire.text("x")[:-20])
            for _ in range(fault.number(1, 100_000_000) // 65536):
                await outlet.send(b"x" * 65536)


async def at_end(fault: Fault, outlet: Outlet, wire: Wire, reason: str, counts: tuple[int, int]) -> None:
    """The end marker, or what a fault makes of it."""
    if fault.name == "long_reason":
        reason = "x" * fault.number()
    end = wire.end(reason, *counts)
    match fault.name:
        case "counts":
            spelled = [argument.encode() for argument in fault.arguments]
            end = wire.end(reason, 777_001, 777_002).replace(b"777001", spelled[0]).replace(b"777002", spelled[1])
            await outlet.send(end)
        case "error_last":
            await outlet.send(wire.error("llama runner process has terminated"))
        case "dup_done":
            await outlet.send(end + end)
        case "after_done":
            await outlet.send(end + wire.text(" after the end"))
        case "no_done" if isinstance(wire, OpenAIWire):
            await outlet.send(wire.finish(reason) + wire.usage(*counts))
        case "only_done" if isinstance(wire, OpenAIWire):
            await outlet.send(b"data: [DONE]\n\n")
        case "no_done" | "only_done":
            raise Cut
        case "keepalive_lie":
            await outlet.send(end)
            outlet.chunked = False
            await outlet.send(b"0\r\n\r\n")
            outlet.close()
            raise Cut
        case _:
            await outlet.send(end)


def disguise(fault: Fault, wire: Wire, data: bytes, first: bool) -> bytes:
    """The same events spelled in odd but legal ways."""
    match fault.name:
        case "bom" if first:
            return b"\xef\xbb\xbf" + data
        case "crlf":
            return data.replace(b"\n", b"\r\n")
        case "noise" if isinstance(wire, OllamaWire):
            return b"\n \n" + data.replace(b'"done":false', b'"done":false,"logprobs":[1],"remote_host":"x"')
        case "noise":
            split = data.replace(b'"choices":[', b'"choices":\ndata: [', 1)
            return b": ping\n\n\nevent: message\nid: 7\nretry: 100\n" + split.replace(b"data: {", b"data:{", 1)
    return data
