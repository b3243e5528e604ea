"""The outermost layer: request id, guard, body, security headers, the last error handler, the access log."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import clock
from app.errors import AppError
from app.http.errors import app_error_response, problem_response, unexpected_error
from app.http.forwarded import Forwarded
from app.http.guard import EdgeError, Guard
from app.http.head import answer_head
from app.http.request_body import Bodies
from app.http.security_headers import add_missing, security_headers
from app.ids import new_id
from app.observability import metrics, tracing
from app.observability.context import request_id
from app.observability.logging import ACCESS
from app.observability.tracing import Span
from app.settings import Settings

access = logging.getLogger(ACCESS)

UNLOGGED = ("/static/", "/app/assets/", "/healthz", "/readyz", "/metrics")
MAX_LOGGED_PATH = 300
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Edge:
    """One pure ASGI middleware, so that a request pays for one closure and no task of its own."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        larger_bodies: Mapping[str, int] | None = None,
        is_stranger: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self.app = app
        self._guard = Guard(settings)
        self._forwarded = Forwarded(settings.trusted_proxies)
        self._bodies = Bodies(larger_bodies, is_stranger=is_stranger)
        self._headers = security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await (self._traced if tracing.is_on() else self._http)(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(UNLOGGED):
            await self._http(scope, receive, send)
            return
        with tracing.span(scope["method"], kind="server") as span:
            await self._http(scope, receive, send, span)

    async def _http(self, scope: Scope, receive: Receive, send: Send, span: Span | None = None) -> None:
        started_at = clock.monotonic()
        this_request = self._identify(scope)
        token = request_id.set(this_request)
        status = 0
        template = ""

        async def send_with_headers(message: Message) -> None:
            nonlocal status, template
            if message["type"] == "http.response.start":
                status, template = message["status"], route_template(scope)
                # A new list: a response that is kept for several requests must not grow.
                headers = list(message.get("headers", ()))
                add_missing(headers, self._headers)
                headers.append((b"x-request-id", this_request.encode()))
                message["headers"] = headers
            await send(message)

        try:
            await self._answer(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass
        except Exception as error:
            if status:
                # Half an answer is out: the server logs the error and cuts the connection, which is all that is left.
                raise
            response = await unexpected_error(Request(scope), error)
            await response(scope, receive, send_with_headers)
        finally:
            self._tell(scope, status, template, clock.monotonic() - started_at)
            if span is not None:
                _describe(span, scope["method"], template, status)
            request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._guard.check(scope)
            receive = await self._bodies.admit(scope, receive)
        except EdgeError as refused:
            # What was not read of the request would be taken for the next one.
            response = await problem_response(
                Request(scope),
                refused.status,
                refused.code,
                refused.detail,
                headers={"Connection": "close"},
                plain=True,
            )
            await response(scope, receive, send)
        except AppError as error:
            response = await app_error_response(Request(scope), error)
            await response(scope, receive, send)
        else:
            if scope["method"] == "HEAD":
                await answer_head(self.app, scope, receive, send)
            else:
                await self.app(scope, receive, send)

    def _identify(self, scope: Scope) -> str:
        """The proxy's id for this request if the proxy is ours, else a new one."""
        if self._forwarded.apply(scope):
            for name, value in scope["headers"]:
                if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                    return str(value, "ascii")
        return new_id()

    def _tell(self, scope: Scope, status: int, template: str, seconds: float) -> None:
        metrics.REQUESTS.add(1, template, str(status))
        metrics.REQUEST_SECONDS.observe(seconds, template)
        path: str = scope["path"]
        if not path.startswith(UNLOGGED) and access.isEnabledFor(logging.INFO):
            client = scope.get("client")
            # The query is left out: it may hold what somebody searched for.
            fields = {
                "method": scope["method"],
                "path": path[:MAX_LOGGED_PATH],
                "route": template,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "client": client[0] if client else "",
            }
            access.info("request", extra={"fields": fields})


def _describe(span: Span, method: str, template: str, status: int) -> None:
    """As it was declared: who asked, and for what thing, is for the access log alone."""
    about = {"http.request.method": method, "http.route": template, "teahouse.request_id": request_id.get()}
    span.tell({**about, "http.response.status_code": status}, name=f"{method} {template}".rstrip())
    if status >= 500:
        span.failed(str(status))


def route_template(scope: Scope) -> str:
    """The address as it was declared, `/c/{id}`: one label for all conversations."""
    fastapi: dict[str, Any] = scope.get("fastapi") or {}
    route = fastapi.get("effective_route_context") or scope.get("route")
    return getattr(route, "path", "") if route else ""
