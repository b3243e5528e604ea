"""Request, job and call of a model server as one trace, told to an OpenTelemetry collector; off unless configured.

Off, nothing of OpenTelemetry is imported and a span is one object that does nothing. On, spans hold declared routes,
names and numbers: no path, no query, no text of anybody's.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

from app.settings import Settings

Kind = Literal["internal", "server", "client", "consumer"]
Attributes = Mapping[str, str | int | float | bool]
TRACE = "trace"  # in a job's payload: the span that the job was asked for in
SEND_SECONDS, END_SECONDS = 3.0, 2.0

_tracer: Any = None


class Span:
    """What is traced off: nothing."""

    def tell(self, attributes: Attributes, *, name: str = "") -> None:
        return None

    def event(self, name: str) -> None:
        return None

    def failed(self, code: str) -> None:
        return None


class _Off(Span):
    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_error: object) -> None:
        return None


_OFF = _Off()


class _On(Span):
    def __init__(self, span: Any) -> None:
        self._span = span

    def tell(self, attributes: Attributes, *, name: str = "") -> None:
        self._span.set_attributes(attributes)
        if name:
            self._span.update_name(name)

    def event(self, name: str) -> None:
        self._span.add_event(name)

    def failed(self, code: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR))


def is_on() -> bool:
    return _tracer is not None


def span(
    name: str, attributes: Attributes | None = None, *, kind: Kind = "internal", parent: str = ""
) -> AbstractContextManager[Span]:
    """What happens inside, as a child of `parent`, else of the span around it."""
    return _OFF if _tracer is None else _span(name, attributes, kind, parent)


@contextmanager
def _span(name: str, attributes: Attributes | None, kind: Kind, parent: str) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    around = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    started = _tracer.start_as_current_span(
        name,
        context=around,
        kind=SpanKind[kind.upper()],
        attributes=attributes,
        record_exception=False,  # its message may quote somebody
        set_status_on_exception=False,
    )
    with started as inner:
        on = _On(inner)
        try:
            yield on
        except asyncio.CancelledError:
            on.tell({"teahouse.cancelled": True})
            raise
        except BaseException as error:
            on.failed(getattr(error, "code", type(error).__name__))
            raise


def model_call(provider: str, model: str) -> AbstractContextManager[Span]:
    about = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model}
    return span(f"chat {model}", about, kind="client")


def carried() -> dict[str, str]:
    """For a job's payload: by whom it is asked for."""
    if _tracer is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {TRACE: carrier["traceparent"]} if carrier else {}


class Tracing:
    """Sends this process's spans from a thread, until `close`. Open it after a fork."""

    def __init__(self, settings: Settings, version: str, instance: str) -> None:
        global _tracer
        import requests
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        session = requests.Session()
        session.trust_env = False  # no proxy that somebody has set for something else
        endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=SEND_SECONDS, session=session)
        about = {"service.name": "teahouse", "service.version": version, "service.instance.id": instance}
        # Ours alone: a provider for all would have FastAPI tell every address with its query.
        self._provider = TracerProvider(ALWAYS_ON, Resource(about), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
        _tracer = self._provider.get_tracer("teahouse", version)

    def close(self) -> None:
        """Send what is left. A collector that is away does not hold up the end."""
        global _tracer
        _tracer = None
        sending = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        sending.start()
        sending.join(END_SECONDS)
