"""Read an event stream as a client does, and replay what it says."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    id: int | None
    event: str
    data: dict[str, Any]


class Stream:
    """One open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        self.retry: int | None = None

    async def __aiter__(self) -> AsyncIterator[Event]:
        number, name, data = None, "message", ""
        async for line in self.response.aiter_lines():
            field, _, value = line.partition(": ")
            if line == "" and data:
                yield Event(number, name, json.loads(data))
                number, name, data = None, "message", ""
            elif field == "id":
                number = int(value)
            elif field == "event":
                name = value
            elif field == "data":
                data += value
            elif field == "retry":
                self.retry = int(value)
            elif line.startswith(":"):
                self.comments += 1


@asynccontextmanager
async def stream_of(
    client: httpx.AsyncClient, job_id: str, *, last_event_id: str | None = None, **parameters: Any
) -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
    async with client.stream(
        "GET", f"/api/v1/jobs/{job_id}/events", params=parameters, headers=headers, timeout=30
    ) as response:
        if response.status_code != 200:
            await response.aread()
        yield Stream(response)


async def all_events(client: httpx.AsyncClient, job_id: str, **arguments: Any) -> list[Event]:
    """Until the stream ends by itself."""
    async with stream_of(client, job_id, **arguments) as stream:
        assert stream.response.status_code == 200, stream.response.text
        return [event async for event in stream]


def replay(events: Iterable[Event], content: str = "", thinking: str = "") -> tuple[str, str]:
    """What a viewer shows who had `content` and `thinking` before."""
    for event in events:
        if event.event == "delta":
            content += event.data["text"]
        elif event.event == "thinking":
            thinking += event.data["text"]
        elif event.event == "snapshot":
            content, thinking = event.data["content"], event.data["thinking"]
        elif event.event == "restart":
            content, thinking = "", ""
    return content, thinking
