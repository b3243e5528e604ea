"""Plays one script onto the wire."""

import asyncio
import time
from collections.abc import Iterator

from aiohttp import web

from tests.model_server.faults import Fault, at_end, at_token, disguise
from tests.model_server.outlet import Cut, Outlet
from tests.model_server.records import Received
from tests.model_server.script import Script, is_cut_short, pieces_from, thinking_for
from tests.model_server.wire import Wire


def pieces_of(record: Received, script: Script, limit: int | None, *, continues: bool) -> Iterator[tuple[bool, str]]:
    """(is thinking, text), in order. What was gone on from is not thought about again."""
    prefix = record.prefix if continues else ""
    if not prefix:
        for word in thinking_for(record.prompt, script):
            yield True, word
    for piece in pieces_from(record.prompt, script, prefix, limit):
        yield False, piece


async def play(
    request: web.Request,
    record: Received,
    script: Script,
    fault: Fault,
    wire: Wire,
    limit: int | None,
    *,
    continues: bool,
) -> web.StreamResponse:
    """The streamed response; a Cut in it ends the body where it stands."""
    by_bytes = fault.name in ("cut_bytes", "eof_bytes", "close_bytes")
    outlet = Outlet(request, cut_at=fault.number() if by_bytes else None, dribble=fault.name == "dribble")
    await asyncio.sleep(script.first / 1000)
    response = web.StreamResponse(headers={"Content-Type": wire.content_type})
    if fault.name == "close_bytes":
        _begin_without_length(request, outlet, wire)
    else:
        response.enable_chunked_encoding()
        if fault.name == "keepalive_lie":
            response.headers["Keep-Alive"] = "timeout=5, max=100"
        await response.prepare(request)
    try:
        await _write_tokens(record, script, fault, wire, outlet, pieces_of(record, script, limit, continues=continues))
        reason = script.finish
        if reason == "stop" and is_cut_short(record.prompt, script, record.prefix if continues else "", limit):
            reason = "length"
        await at_end(fault, outlet, wire, reason, (_count(record), record.tokens_sent))
    except Cut:
        if fault.name in ("cut_bytes", "close_bytes"):
            outlet.close()
        record.finished = fault.name == "keepalive_lie"
    except ConnectionResetError:
        record.hang_up()
    else:
        record.finished = True
    return response


async def _write_tokens(
    record: Received,
    script: Script,
    fault: Fault,
    wire: Wire,
    outlet: Outlet,
    pieces: Iterator[tuple[bool, str]],
) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    disguised = fault.name in ("bom", "crlf", "noise")
    for index, (is_thinking, text) in enumerate(pieces):
        if fault.name:
            await at_token(fault, index, outlet, wire)
        if script.rate:
            await asyncio.sleep(began + index / script.rate - clock())
        elif index % 50 == 49:
            await asyncio.sleep(0)
        if script.text == "clock":  # for benchmarks: when the token left, by the machine's one monotonic clock
            text = f" {time.monotonic_ns()}"
        data = wire.thinking(text) if is_thinking else wire.text(text)
        await outlet.send(disguise(fault, wire, data, index == 0) if disguised else data)
        record.tokens_sent = index + 1


def _begin_without_length(request: web.Request, outlet: Outlet, wire: Wire) -> None:
    outlet.chunked = False
    if request.transport is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {wire.content_type}\r\nConnection: close\r\n\r\n"
        request.transport.write(head.encode())


def _count(record: Received) -> int:
    """A prompt's tokens: its words, of those messages from the end on that fit where the server leaves out others."""
    counts = [len(str(message.get("content", "")).split()) for message in record.json.get("messages", [])]
    while record.cuts_to and len(counts) > 1 and sum(counts) > record.cuts_to:
        counts.pop(0)
    return sum(counts)
