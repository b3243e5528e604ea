"""A process whose runner has stopped says so; a job's log lines carry its id."""

import logging

import pytest

from app.jobs.registry import JobContext
from app.observability.context import job_id
from app.settings import Settings
from tests.jobs.engines import engine_on, post
from tests.jobs.stub import StubHandler
from tests.jobs.waiting import until


async def test_a_process_one_of_whose_parts_has_stopped_is_not_ready(settings: Settings, stub: StubHandler) -> None:
    async with engine_on(settings) as (engine, _):
        await engine.check()
        await engine._maintenance.stop()
        with pytest.raises(RuntimeError, match="Maintenance has stopped"):
            await engine.check()


async def test_what_a_job_logs_carries_its_id(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = stub.run

    async def logging_run(context: JobContext) -> object:
        logging.getLogger(__name__).info("working")
        seen.append(job_id.get())
        return await run(context)

    monkeypatch.setattr(stub, "run", logging_run)
    async with engine_on(settings) as (engine, database):
        job = await post(engine, database, alice)
        await until(lambda: seen)
        assert seen == [job]
        assert job_id.get() == ""
