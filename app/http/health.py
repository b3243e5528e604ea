"""/healthz: alive. /readyz: able to serve. /metrics: numbers for Prometheus."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from app.errors import AppError, ErrorKind, FieldError, not_found
from app.http.sse import HEADERS
from app.jobs.exporter import exposition
from app.observability.health import Checks

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    return PlainTextResponse("ok")


@router.get("/healthz/stream")
async def healthz_stream() -> Response:
    """Three words, a moment apart, sent as streams are. Read all at once: something on the way holds streams back."""
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    return StreamingResponse(_three_words(), headers=headers)


async def _three_words() -> AsyncIterator[bytes]:
    for word in (b": one\n\n", b": two\n\n", b": three\n\n"):
        yield word
        await asyncio.sleep(0.25)


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Says no while draining, so that a load balancer goes elsewhere before the door closes."""
    if getattr(request.app.state, "draining", False):
        raise AppError(ErrorKind.unavailable, "draining", "The server is about to stop.", retry_after=2)
    failing = [*await _database_check(request).failing(), *await checks_of(request).failing()]
    if failing:
        errors = [FieldError(name, "failing", "This check does not pass.") for name in failing]
        raise AppError(ErrorKind.unavailable, "not_ready", "The server cannot do its work now.", errors=errors)
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def prometheus(request: Request) -> Response:
    if not _is_from_this_machine(request):
        raise not_found()
    services = getattr(request.app.state, "services", None)
    content, media_type = await exposition(None if services is None else services.database.lookup)
    return Response(content, media_type=media_type)


def checks_of(request: Request) -> Checks:
    checks: Checks = request.app.state.checks
    return checks


def _database_check(request: Request) -> Checks:
    async def select() -> None:
        async with request.app.state.services.database.read() as session:
            await session.execute(text("SELECT 1"))

    checks = Checks()
    checks.register("database", select)
    return checks


def _is_from_this_machine(request: Request) -> bool:
    """A proxy on this machine is no visitor from this machine."""
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
