"""Viewers that come and go, and the record of what they saw."""

import random
from collections.abc import Awaitable, Callable

import orjson

from app.generations.stream import JobStream
from app.jobs.events import LogText
from app.jobs.frames import Frame
from tests.generations.asking import Talk
from tests.jobs.history import Op
from tests.process import Process


async def always() -> bool:
    return True


def stream_of(
    process: Process, user_id: str, job_id: str, still_allowed: Callable[[], Awaitable[bool]] = always
) -> JobStream:
    return JobStream(process.database, process.engine, user_id, job_id, still_allowed=still_allowed)


async def frames_from(talk: Talk, job_id: str, after: int = 0) -> list[Frame]:
    """All of a stream, from a position to its end."""
    stream = stream_of(talk.process, talk.principal.user_id, job_id)
    return [frame async for batch in stream.follow(after) for frame in batch]


def op_of(viewer: str, frame: Frame) -> Op:
    return Op(viewer, "event", frame.id, frame.event, orjson.loads(frame.data))


def text_of(log: list[tuple[int, str, dict[str, object]]], upto: int, frames: list[Frame]) -> str:
    """What a viewer has who had the log up to a position, and then got these frames."""
    text = LogText()
    for seq, event, data in log:
        if seq <= upto:
            text.apply(event, data)
    for frame in frames:
        text.apply(frame.event, orjson.loads(frame.data))
    return text.content


async def restless(talk: Talk, name: str, job_id: str, chance: random.Random, history: list[Op]) -> None:
    """Watches the job to its end; leaves after a random number of batches and returns where it was."""
    position, is_done = 0, False
    while not is_done:
        history.append(Op(name, "invoke", position))
        stream = stream_of(talk.process, talk.principal.user_id, job_id)
        visits = stream.follow(position)
        left = chance.randint(1, 6)
        async for batch in visits:
            for frame in batch:
                history.append(op_of(name, frame))
                position = position if frame.id is None else frame.id
                is_done = frame.event == "done"
            left -= 1
            if left == 0 and not is_done:
                break
        await visits.aclose()  # type: ignore[attr-defined]
        history.append(Op(name, "ok" if is_done else "info"))
