"""Traces, sent by real workers to a collector that speaks OTLP over HTTP."""

import asyncio
import gzip
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import ValidationError

from app import job_handlers
from app import settings as settings_module
from app.observability import tracing
from app.settings import Settings
from tests.durability.processes import ServerProcess, model_process, server_process
from tests.ports import free_port
from tests.stack.visitor import Visitor, sign_up

SECRET = "the-words-of-alice"


class Collector:
    """Keeps what it is sent, as it came and as it reads."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                right = (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
                if right:
                    collector.raw.append(body)
                self.send_response(200 if right else 400)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Span]:
        found = []
        for body in list(self.raw):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {each.key: each.value.string_value for each in resource.resource.attributes}
                assert named["service.name"] == "teahouse"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans() if span.name == name]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def tell(url: str) -> dict[str, str]:
    return {"TEAHOUSE_OTLP_ENDPOINT": url}


def values(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


async def _asked(server: ServerProcess, content: str) -> None:
    token = await asyncio.to_thread(sign_up, server.url, "alice")
    async with aiohttp.ClientSession() as http:
        alice = Visitor(http, server.url, token)
        begun = await alice.begin(content)
        assert begun is not None
        seen = await alice.watch(begun[0])
        assert seen.done is not None
        await alice.ask("GET", f"/conversations?limit=5&after={SECRET}")  # refused, and told of without its query


async def test_one_trace_joins_request_job_and_call(tmp_path: Path, collector: Collector) -> None:
    with model_process() as model, server_process(tmp_path, model.url, 2, **tell(collector.url)) as server:
        await _asked(server, f"{SECRET} [[tokens=5]]")
        async with asyncio.timeout(20):
            while len(collector.named("chat scripted:latest")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    (request,) = collector.named("POST /api/v1/conversations/{conversation_id}/messages")
    (answer,), (title,) = collector.named("job answer"), collector.named("job title")
    calls = {call.parent_span_id: call for call in collector.named("chat scripted:latest")}
    assert {span.trace_id for span in (answer, title, *calls.values())} == {request.trace_id}
    assert request.parent_span_id == b"" and request.kind == Span.SPAN_KIND_SERVER
    assert answer.parent_span_id == request.span_id
    assert title.parent_span_id == request.span_id
    assert calls.keys() == {answer.span_id, title.span_id}
    call = calls[answer.span_id]
    assert call.kind == Span.SPAN_KIND_CLIENT and [event.name for event in call.events] == ["first text"]
    assert values(call)["gen_ai.usage.output_tokens"] == 5
    assert values(answer)["teahouse.job.outcome"] == "succeeded"
    assert values(request)["http.response.status_code"] == 202
    assert not [span for span in collector.spans() if span.status.code == Status.STATUS_CODE_ERROR]
    assert SECRET.encode() not in b"".join(collector.raw) and b"alice" not in b"".join(collector.raw)


async def test_a_call_that_fails_is_named(tmp_path: Path, collector: Collector) -> None:
    with model_process() as model, server_process(tmp_path, model.url, 1, **tell(collector.url)) as server:
        await _asked(server, "[[fault=overflow]]")
    (call,), (job,) = collector.named("chat scripted:latest"), collector.named("job answer")
    assert values(call)["error.type"] == values(job)["error.type"] == "context_overflow"
    assert call.status.code == job.status.code == Status.STATUS_CODE_ERROR


async def test_a_collector_that_is_away_holds_nothing_up(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with model_process() as model, server_process(tmp_path, model.url, 1, **tell(nowhere)) as server:
        await _asked(server, "Hello [[tokens=3]]")
        began = time.monotonic()
        server.terminate()
        assert server.process.returncode == 0
        assert time.monotonic() - began < 6


async def test_a_worker_that_serves_no_pages_traces_too(settings: Settings, collector: Collector) -> None:
    own = settings.model_copy(update={"otlp_endpoint": collector.url})
    async with job_handlers.running_engine(own, job_handlers.claims_of(["answers"], 1)):
        assert tracing.is_on()
        with tracing.span("something"):
            pass
    assert not tracing.is_on()
    assert len(collector.named("something")) == 1, "sent before the end"


def test_off_nothing_of_it_is_loaded() -> None:
    code = """
import sys
from app.main import app
from app.observability import tracing
assert tracing.span("a") is tracing.span("b") and tracing.carried() == {}
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[]\n", ran.stderr


def test_without_the_packages_the_setting_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "find_spec", lambda _name: None)
    with pytest.raises(ValidationError, match=r"requirements-telemetry\.lock"):
        Settings(_env_file=None, otlp_endpoint="http://127.0.0.1:4318")
    with pytest.raises(ValidationError, match="must be an address"):
        Settings(_env_file=None, otlp_endpoint="127.0.0.1:4318")
